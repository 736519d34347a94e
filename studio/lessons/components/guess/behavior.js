// One round after the other. The truth arrives with the answer to a guess and not before; points are kept in the browser.
//
// The value is what studio.lessons.game_view.guess_value returns. Triggers `deal` with {picture: choice}, and `guess` with
// {round: token, guess: number}.

import { find } from "../../../page/elements.js";

const STORE = "jpeg-studio-guess";
/** @type {HTMLInputElement} */
const slider = find(".slider");
/** @type {HTMLInputElement} */
const number = find(".number");
/** @type {HTMLButtonElement} */
const mainButton = find(".go");
/** @type {HTMLSelectElement} */
const pictureSelect = find(".picture");
const game = readGame();
let waiting = false;

function value() {
  return props.value || {};
}

// ---------------------------------------------------------------- points

function readGame() {
  try {
    const stored = JSON.parse(localStorage.getItem(STORE)) || {};
    const points = Array.isArray(stored.points) ? stored.points : [];
    return { points, best: Number(stored.best) || 0, last: String(stored.last || "") };
  } catch {
    return { points: [], best: 0, last: "" };
  }
}

function keepGame() {
  try {
    localStorage.setItem(STORE, JSON.stringify(game));
  } catch {
    // A private window.
  }
}

function total() {
  return game.points.reduce((sum, points) => sum + points, 0);
}

function isOver() {
  return game.points.length >= value().rounds;
}

// Each round counts once, whatever arrives twice.
function score() {
  const { revealed, round, points } = value();
  if (!revealed || game.last === round) return;
  if (isOver()) game.points = [];
  game.points.push(points);
  game.last = round;
  if (isOver()) game.best = Math.max(game.best, total());
  keepGame();
}

// ---------------------------------------------------------------- drawing

function outcome() {
  const { truth, guess, error, points } = value();
  const off = error === 0 ? "exactly right" : error + " off";
  const end = isOver() ? " The game is over: " + total() + " of " + value().rounds * value().full + "." : "";
  return "It was quality factor " + truth + ". You said " + guess + ": " + off + ", " + points + " points." + end;
}

function mainWords() {
  const { revealed, round } = value();
  if (revealed) return isOver() ? "New game" : "Next picture";
  return round ? "Guess" : "Show a picture";
}

function drawRound() {
  const { revealed, round, rounds, truth, guess, full, per_step: step } = value();
  const played = game.points.length;
  find(".rules").textContent = "This picture was saved at a hidden quality factor. A right guess earns " + full + " points, and each step off costs " + step + ". A game has " + rounds + " rounds.";
  find(".round").textContent = "Round " + (revealed ? played : isOver() ? 1 : played + 1) + " of " + rounds;
  find(".truth").hidden = !revealed;
  if (revealed && [slider, number].includes(/** @type {HTMLInputElement} */ (document.activeElement))) mainButton.focus();
  slider.disabled = number.disabled = revealed || !round;
  if (revealed) {
    find(".outcome").textContent = outcome();
    find(".yours").style.left = guess + "%";
    find(".real").style.left = truth + "%";
  }
}

function draw() {
  const { revealed, rounds, notice } = value();
  const isNew = isOver() && !revealed;
  drawRound();
  mainButton.textContent = mainWords();
  mainButton.setAttribute("aria-disabled", String(waiting));
  find(".now").textContent = (isNew ? 0 : total()) + " points";
  find(".rounds").textContent = (isNew ? 0 : game.points.length) + " of " + rounds;
  find(".best").textContent = game.best ? game.best + " points" : "none yet";
  find(".notice").textContent = notice || "";
  find(".notice").hidden = !notice;
}

// ---------------------------------------------------------------- what the server sends, and what is pressed

function update() {
  const chosen = pictureSelect.value;
  waiting = false;
  pictureSelect.replaceChildren(...(value().pictures || []).map(([words, id]) => new Option(words, id)));
  if (chosen) pictureSelect.value = chosen;
  score();
  draw();
}

function ask(kind) {
  waiting = true;
  mainButton.setAttribute("aria-disabled", "true");
  if (kind === "guess") trigger("guess", { round: value().round, guess: Number(number.value) });
  else trigger("deal", { picture: pictureSelect.value });
}

function setGuess(guess) {
  const whole = Math.min(Math.max(Math.round(Number(guess)) || 1, 1), 100);
  slider.value = number.value = String(whole);
}

slider.addEventListener("input", () => setGuess(slider.value));
number.addEventListener("change", () => setGuess(number.value));
number.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  setGuess(number.value);
  mainButton.click();
});
mainButton.addEventListener("click", () => {
  if (!waiting) ask(value().round && !value().revealed ? "guess" : "deal");
});
pictureSelect.addEventListener("change", () => {
  if (value().round) ask("deal");
});
watch("value", update);
update();
