// Lets an idle page be idle. Gradio counts how long every event takes, sixty times a second, and goes on counting for its
// notice "Loading" after that is gone. The studio shows none of these numbers, so once a second is often enough.
(() => {
  const nextFrame = window.requestAnimationFrame.bind(window);
  const countsSeconds = /^\(\)=>\{[^;{}]*\(performance\.now\(\)-[^;{}]*\)\/1e3\)[^;{}]*\}$/;
  window.requestAnimationFrame = (callback) => {
    if (!countsSeconds.test(String(callback))) return nextFrame(callback);
    setTimeout(() => callback(performance.now()), 1000);
    return 0;
  };
})();
