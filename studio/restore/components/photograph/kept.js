// The file that somebody brought, held in this browser until it is deleted or too old.

const STORE = "photograph";
const KEY = "latest";

function request(wanted) {
  return new Promise((resolve, reject) => {
    wanted.onsuccess = () => resolve(wanted.result);
    wanted.onerror = () => reject(wanted.error);
  });
}

async function inStore(mode, act) {
  const opening = indexedDB.open("jpeg-studio", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const base = await request(opening);
  try {
    return await request(act(base.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    base.close();
  }
}

// Browsers that keep nothing, such as private windows, lose comfort only.
async function quietly(work) {
  try {
    return await work();
  } catch (problem) {
    console.info("nothing is kept in this browser", problem);
    return null;
  }
}

export function hold(file) {
  return quietly(() => inStore("readwrite", (store) => store.put({ file, name: file.name, at: Date.now() }, KEY)));
}

export function forget() {
  return quietly(() => inStore("readwrite", (store) => store.delete(KEY)));
}

export async function held(seconds) {
  const found = await quietly(() => inStore("readonly", (store) => store.get(KEY)));
  if (!found || Date.now() - found.at > 1000 * seconds) return null;
  return new File([found.file], found.name, { type: found.file.type });
}
