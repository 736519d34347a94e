// Votes for two nameless pictures. Names and numbers arrive once they are asked for; the tally is kept in the browser.
//
// The value is what studio.lessons.game_view.blind_value returns. Triggers `deal` with {picture: choice, first: name, second: name},
// `reveal` with {pair: token}, and `halt`.

const STORE = "jpeg-studio-taste";
const NOTHING = { pairs: 0, agreed: 0, disagreed: 0, same: 0, last: "" };
const find = (selector) => element.querySelector(selector);
const value = () => props.value || {};
const choosers = { picture: find(".picture"), first: find(".first"), second: find(".second") };
const ballots = [...element.querySelectorAll("[data-vote]")];
let votes = { a: 0, b: 0, same: 0 }, pair = "", waiting = false;

function readTally() {
  try {
    const kept = JSON.parse(localStorage.getItem(STORE)) || {};
    const counts = Object.fromEntries(["pairs", "agreed", "disagreed", "same"].map((name) => [name, Number(kept[name]) || 0]));
    return { ...counts, last: String(kept.last || "") };
  } catch { return { ...NOTHING }; }
}

let tally = readTally();

function keep() { try { localStorage.setItem(STORE, JSON.stringify(tally)); } catch { /* a private window */ } }

// Each pair counts once; where both have the same PSNR, taste can neither agree nor disagree.
function count() {
  const { revealed, closer } = value();
  if (!revealed || tally.last === pair) return;
  tally.last = pair;
  tally.pairs += 1;
  tally.same += votes.same;
  if (closer) {
    tally.agreed += votes[closer];
    tally.disagreed += votes[closer === "a" ? "b" : "a"];
  }
  keep();
}

function verdict() {
  const { closer, quality } = value(), letter = (closer || "").toUpperCase();
  const saved = "The picture was saved at quality factor " + quality + ". ";
  if (!closer) return saved + "Both have the same PSNR.";
  const other = closer === "a" ? "b" : "a";
  if (votes[closer] === votes[other]) return saved + letter + " has the higher PSNR; the votes are even.";
  return saved + letter + " has the higher PSNR, and taste " + (votes[closer] > votes[other] ? "agrees." : "disagrees.");
}

function row(one, letter, count) {
  const line = document.createElement("tr");
  const cells = [letter, one.name, one.psnr, one.ssim, count].map((text, i) => {
    const cell = document.createElement(i ? "td" : "th");
    cell.textContent = text;
    return cell;
  });
  cells[0].scope = "row";
  line.append(...cells);
  return line;
}

function drawNames() {
  const rows = value().rows || [];
  find(".names").hidden = !value().revealed;
  find("tbody").replaceChildren(...rows.map((one, i) => row(one, "AB"[i], votes["ab"[i]])));
  find(".verdict").textContent = value().revealed ? verdict() : "";
}

function draw() {
  const { notice, working, revealed } = value(), cast = votes.a + votes.b + votes.same, judged = tally.agreed + tally.disagreed;
  const busy = waiting || Boolean(working);
  find(".deal").textContent = pair ? "Next pair" : "Show a pair";
  find(".deal").disabled = busy;
  find(".working").hidden = !busy;
  find(".working span").textContent = "Both methods are at work" + (working ? ", " + working : "");
  find(".notice").textContent = notice || "";
  find(".notice").hidden = !notice;
  find(".vote").hidden = !pair || busy;
  for (const button of ballots) {
    button.lastChild.textContent = votes[button.dataset.vote] || "";
    button.disabled = revealed;
  }
  find(".reveal").hidden = revealed;
  find(".reveal").disabled = !cast;
  find(".pairs").textContent = tally.pairs;
  find(".votes").textContent = judged;
  find(".agreed").textContent = judged ? tally.agreed + " (" + Math.round((100 * tally.agreed) / judged) + " %)" : "–";
  find(".same").textContent = tally.same;
  drawNames();
}

function fill(chooser, choices, fallback) {
  const chosen = chooser.value || fallback;
  chooser.replaceChildren(...choices.map(([words, id]) => new Option(words, id)));
  chooser.value = choices.some(([, id]) => id === chosen) ? chosen : (choices[0] || [])[1];
}

function update() {
  const { pictures = [], models = [], working } = value();
  const networks = models.map(([, id]) => id);
  waiting = false;
  fill(choosers.picture, pictures, "any");
  fill(choosers.first, models, "plain");
  fill(choosers.second, models, networks.includes("cascade") ? "cascade" : networks.at(-1));
  if (!working && value().pair !== pair) {
    pair = value().pair;
    votes = { a: 0, b: 0, same: 0 };
  }
  count();
  draw();
}

for (const button of ballots) button.addEventListener("click", () => { votes[button.dataset.vote] += 1; draw(); });
find(".deal").addEventListener("click", () => {
  waiting = true;
  draw();
  trigger("deal", { picture: choosers.picture.value, first: choosers.first.value, second: choosers.second.value });
});
find(".halt").addEventListener("click", () => trigger("halt", {}));
find(".reveal").addEventListener("click", () => trigger("reveal", { pair }));
find(".again").addEventListener("click", () => { tally = { ...NOTHING, last: tally.last }; keep(); draw(); });
watch("value", update);
update();
