// One round after the other. The truth arrives with the answer to a guess and not before; points are kept in the browser.
//
// The value is what studio.lessons.game_view.guess_value returns. Triggers `deal` with {picture: choice}, and `guess` with
// {round: token, guess: number}.

const STORE = "jpeg-studio-guess";
const find = (selector) => element.querySelector(selector);
const value = () => props.value || {};
const slider = find(".slider"), number = find(".number"), go = find(".go");
let waiting = false;

function readGame() {
  try {
    const kept = JSON.parse(localStorage.getItem(STORE)) || {};
    return { points: Array.isArray(kept.points) ? kept.points : [], best: Number(kept.best) || 0, last: String(kept.last || "") };
  } catch { return { points: [], best: 0, last: "" }; }
}

let game = readGame();

function keep() { try { localStorage.setItem(STORE, JSON.stringify(game)); } catch { /* a private window */ } }

const total = () => game.points.reduce((sum, one) => sum + one, 0);
const isOver = () => game.points.length >= value().rounds;

// Each round counts once, whatever arrives twice.
function score() {
  const { revealed, round, points } = value();
  if (!revealed || game.last === round) return;
  if (isOver()) game.points = [];
  game.points.push(points);
  game.last = round;
  if (isOver()) game.best = Math.max(game.best, total());
  keep();
}

function outcome() {
  const { truth, guess, error, points } = value();
  const off = error === 0 ? "exactly right" : error + " off";
  const end = isOver() ? " The game is over: " + total() + " of " + value().rounds * value().full + "." : "";
  return "It was quality factor " + truth + ". You said " + guess + ": " + off + ", " + points + " points." + end;
}

function ask(kind) {
  waiting = true;
  go.disabled = true;
  if (kind === "guess") trigger("guess", { round: value().round, guess: Number(number.value) });
  else trigger("deal", { picture: find(".picture").value });
}

function draw() {
  const { revealed, round, rounds, notice, truth, guess, full, per_step: step } = value();
  const played = game.points.length, over = isOver();
  find(".rules").textContent = "This picture was saved at a hidden quality factor. A right guess earns " + full + " points, and each step off costs " + step + ". A game has " + rounds + " rounds.";
  find(".round").textContent = "Round " + (revealed ? played : over ? 1 : played + 1) + " of " + rounds;
  find(".truth").hidden = !revealed;
  slider.disabled = number.disabled = revealed || !round;
  if (revealed) {
    find(".outcome").textContent = outcome();
    find(".yours").style.left = guess + "%";
    find(".real").style.left = truth + "%";
  }
  go.textContent = revealed ? (over ? "New game" : "Next picture") : round ? "Guess" : "Show a picture";
  go.disabled = waiting;
  find(".now").textContent = (over && !revealed ? 0 : total()) + " points";
  find(".rounds").textContent = (over && !revealed ? 0 : played) + " of " + rounds;
  find(".best").textContent = game.best ? game.best + " points" : "none yet";
  find(".notice").textContent = notice || "";
  find(".notice").hidden = !notice;
}

function update() {
  const chooser = find(".picture"), chosen = chooser.value;
  waiting = false;
  chooser.replaceChildren(...(value().pictures || []).map(([words, id]) => new Option(words, id)));
  if (chosen) chooser.value = chosen;
  score();
  draw();
}

function set(guess) {
  const whole = Math.min(Math.max(Math.round(Number(guess)) || 1, 1), 100);
  slider.value = number.value = String(whole);
}

slider.addEventListener("input", () => set(slider.value));
number.addEventListener("change", () => set(number.value));
number.addEventListener("keydown", (event) => { if (event.key === "Enter") { set(number.value); go.click(); } });
go.addEventListener("click", () => ask(value().round && !value().revealed ? "guess" : "deal"));
find(".picture").addEventListener("change", () => { if (value().round) ask("deal"); });
watch("value", update);
update();
