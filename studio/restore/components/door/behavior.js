// Which of the two doors is open: what the page shows of the workbench follows from its attribute data-door.
//
// The value: "repair" or "experiment". Triggers `chosen` where the frame asks for another one, by the event studio-door of the document.

function show() {
  const door = props.value === "experiment" ? "experiment" : "repair", bench = document.getElementById("workbench");
  if (!bench) {
    requestAnimationFrame(show);
    return;
  }
  document.documentElement.dataset.door = bench.dataset.door = door;
  document.dispatchEvent(new CustomEvent("studio-door-shown", { detail: door }));
}

document.addEventListener("studio-door", (event) => {
  const door = /** @type {CustomEvent} */ (event).detail;
  if (door === props.value) return;
  props.value = door;
  show();
  trigger("chosen");
});

watch("value", show);
show();
