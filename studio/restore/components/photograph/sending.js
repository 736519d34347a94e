// A file's bytes on their way to the server, with how much of them has left.

export class ConnectionLost extends Error {}

/**
 * @param {File} file
 * @param {AbortSignal} signal
 * @param {(share: number) => void} onShare hears a share of 0..1.
 * @returns {Promise<string>} where the file lies on the server.
 */
export function send(file, signal, onShare) {
  const { root, api_prefix: prefix } = window.gradio_config;
  const form = new FormData();
  form.append("files", file, file.name);
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open("POST", root + prefix + "/upload");
    call.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onShare(event.loaded / event.total);
    });
    call.addEventListener("load", () => {
      if (call.status !== 200) reject(new Error(refusal(call)));
      else resolve(JSON.parse(call.responseText)[0]);
    });
    call.addEventListener("error", () => reject(new ConnectionLost("the connection was lost.")));
    call.addEventListener("abort", () => reject(new DOMException("Cancelled.", "AbortError")));
    signal.addEventListener("abort", () => call.abort());
    call.send(form);
  });
}

function refusal(call) {
  try {
    return String(JSON.parse(call.responseText).detail);
  } catch {
    return "the server answered " + call.status + ".";
  }
}
