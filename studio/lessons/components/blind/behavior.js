// Votes for two nameless pictures. Names and numbers arrive once they are asked for; the tally is kept in the browser.
//
// The value is what studio.lessons.game_view.blind_value returns. Triggers `deal` with {picture: choice, first: name, second: name},
// `reveal` with {pair: token}, and `halt`.

import { find, findAll, make } from "../../../page/elements.js";

const STORE = "jpeg-studio-taste";
const NOTHING = { pairs: 0, agreed: 0, disagreed: 0, same: 0, last: "" };

/** @type {Record<string, HTMLSelectElement>} */
const choosers = { picture: find(".picture"), first: find(".first"), second: find(".second") };
/** @type {HTMLButtonElement[]} */
const ballots = findAll("[data-vote]");
/** @type {HTMLButtonElement} */
const dealButton = find(".deal");
/** @type {HTMLButtonElement} */
const revealButton = find(".reveal");
let votes = { a: 0, b: 0, same: 0 };
let pair = "";
let waiting = false;
let tally = readTally();

function value() {
  return props.value || {};
}

// ---------------------------------------------------------------- the tally

function readTally() {
  try {
    const stored = JSON.parse(localStorage.getItem(STORE)) || {};
    const count = (name) => Number(stored[name]) || 0;
    return {
      pairs: count("pairs"), agreed: count("agreed"), disagreed: count("disagreed"), same: count("same"), last: String(stored.last || ""),
    };
  } catch {
    return { ...NOTHING };
  }
}

function keepTally() {
  try {
    localStorage.setItem(STORE, JSON.stringify(tally));
  } catch {
    // A private window.
  }
}

// Each pair counts once; where both have the same PSNR, taste can neither agree nor disagree.
function countVotes() {
  const { revealed, closer } = value();
  if (!revealed || tally.last === pair) return;
  tally.last = pair;
  tally.pairs += 1;
  tally.same += votes.same;
  if (closer) {
    tally.agreed += votes[closer];
    tally.disagreed += votes[closer === "a" ? "b" : "a"];
  }
  keepTally();
}

// ---------------------------------------------------------------- drawing

function verdict() {
  const { closer, quality } = value();
  const letter = (closer || "").toUpperCase();
  const saved = "The picture was saved at quality factor " + quality + ". ";
  if (!closer) return saved + "Both have the same PSNR.";
  const other = closer === "a" ? "b" : "a";
  if (votes[closer] === votes[other]) return saved + letter + " has the higher PSNR; the votes are even.";
  return saved + letter + " has the higher PSNR, and taste " + (votes[closer] > votes[other] ? "agrees." : "disagrees.");
}

function tableRow(result, letter, count) {
  const name = make("th", "", letter);
  name.scope = "row";
  const row = make("tr");
  row.append(name, ...[result.name, result.psnr, result.ssim, count].map((text) => make("td", "", text)));
  return row;
}

function drawNames() {
  const results = value().rows || [];
  find(".names").hidden = !value().revealed;
  find("tbody").replaceChildren(...results.map((result, i) => tableRow(result, "AB"[i], votes["ab"[i]])));
  find(".verdict").textContent = value().revealed ? verdict() : "";
}

function drawTally() {
  const judged = tally.agreed + tally.disagreed;
  find(".pairs").textContent = String(tally.pairs);
  find(".votes").textContent = String(judged);
  find(".agreed").textContent = judged ? tally.agreed + " (" + Math.round((100 * tally.agreed) / judged) + " %)" : "–";
  find(".same").textContent = String(tally.same);
}

function draw() {
  const { notice, working, revealed } = value();
  const busy = waiting || Boolean(working);
  dealButton.textContent = pair ? "Next pair" : "Show a pair";
  dealButton.setAttribute("aria-disabled", String(busy));
  find(".working").hidden = !busy;
  find(".working span").textContent = "Both methods are at work" + (working ? ", " + working : "");
  find(".notice").textContent = notice || "";
  find(".notice").hidden = !notice;
  find(".vote").hidden = !pair || busy;
  for (const button of ballots) {
    button.lastChild.textContent = votes[button.dataset.vote] || "";
    button.disabled = revealed;
  }
  revealButton.hidden = revealed;
  revealButton.disabled = votes.a + votes.b + votes.same === 0;
  drawTally();
  drawNames();
}

// ---------------------------------------------------------------- what the server sends, and what is pressed

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
  countVotes();
  draw();
}

function vote(choice) {
  votes[choice] += 1;
  draw();
}

function deal() {
  waiting = true;
  draw();
  trigger("deal", { picture: choosers.picture.value, first: choosers.first.value, second: choosers.second.value });
}

function startAgain() {
  tally = { ...NOTHING, last: tally.last };
  keepTally();
  draw();
}

for (const button of ballots) button.addEventListener("click", () => vote(button.dataset.vote));
dealButton.addEventListener("click", () => {
  if (dealButton.getAttribute("aria-disabled") !== "true") deal();
});
find(".halt").addEventListener("click", () => trigger("halt", {}));
revealButton.addEventListener("click", () => trigger("reveal", { pair }));
find(".again").addEventListener("click", startAgain);
watch("value", update);
update();
