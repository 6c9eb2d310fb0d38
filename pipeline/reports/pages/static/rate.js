// Human scoring: asks for the next run that the person of the key has not rated, shows it, and sends what is pressed.
(() => {
  const KEY = "podium.key";
  const at = (id) => document.getElementById(id);
  const [keyForm, form, wrong, progress] = ["key-form", "rating", "wrong", "progress"].map(at);
  const typed = at("typed");
  const about = () => at("to-rate").dataset;
  const skipped = [];
  const given = [];
  let isBusy = false;

  class Refused extends Error {
    constructor(status, text) {
      super(text);
      this.status = status;
    }
  }

  async function ask(address, body) {
    const headers = { Authorization: `Bearer ${sessionStorage.getItem(KEY)}` };
    if (body) headers["Content-Type"] = "application/json";
    let answer;
    try {
      answer = await fetch(address, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
    } catch {
      throw new Refused(0, "The server cannot be reached; nothing was stored. Press again when it is back.");
    }
    if (answer.ok) return answer;
    const text = await answer.text();
    let said;
    try {
      said = JSON.parse(text).detail;
    } catch {
      said = answer.statusText;
    }
    throw new Refused(answer.status, typeof said === "string" ? said : said.map((one) => one.msg).join("; "));
  }

  function tell(error) {
    if (!(error instanceof Refused)) throw error;
    const meant = { 401: "Your key was not taken: ", 422: "This rating was not taken: ", 429: "Too fast: " };
    wrong.textContent = `${meant[error.status] ?? ""}${error.message}`;
    wrong.hidden = false;
    if (error.status === 401) forget();
  }

  function forget() {
    sessionStorage.removeItem(KEY);
    keyForm.hidden = false;
    form.hidden = true;
    at("forget").hidden = true;
    progress.textContent = "";
    at("key").focus();
  }

  // One thing after the other: what is pressed meanwhile is not taken for the run that comes.
  async function doing(what) {
    if (isBusy) return;
    isBusy = true;
    wrong.hidden = true;
    form.setAttribute("aria-busy", "true");
    at("comment").readOnly = true; // what is written now would be of neither run
    try {
      await what();
    } catch (error) {
      tell(error);
    } finally {
      isBusy = false;
      form.removeAttribute("aria-busy");
      at("comment").readOnly = false;
    }
  }

  async function show(run, rating) {
    const address = new URL(about().page, location);
    if (run) address.searchParams.set("run", run);
    const page = new DOMParser().parseFromString(await (await ask(address)).text(), "text/html");
    at("to-rate").replaceWith(document.adoptNode(page.getElementById("to-rate")));
    history.replaceState(null, "", address);
    form.hidden = !run;
    at("comment").value = "";
    if (typed) typed.value = rating ?? "";
    for (const button of form.querySelectorAll("[data-rating]")) {
      button.setAttribute("aria-pressed", String(rating !== undefined && Number(button.dataset.rating) === rating));
    }
    if (typed && run) typed.focus();
    scrollTo({ top: 0 });
  }

  // The run that the address names stays: whoever comes to it, or loads the page anew, means that one.
  async function next(stays = false) {
    const asked = new URLSearchParams({ scorer: about().scorer });
    for (const run of skipped) asked.append("skipped", run);
    const found = await (await ask(`${about().next}?${asked}`)).json();
    if (stays && about().run) form.hidden = false;
    else await show(found.run_id);
    const rated = `${found.n_own} rated by you`;
    progress.textContent = about().run ? `${rated}, ${found.n_left} to go` : `${rated}. Nothing is left to rate.`;
    keyForm.hidden = true;
    at("forget").hidden = false;
    at("back").disabled = given.length === 0;
  }

  const give = (rating) => doing(async () => {
    const { run, scorer, runs } = about();
    const comment = at("comment").value.trim();
    const body = { scorer_name: scorer, rating };
    if (comment) body.metadata = { comment };
    await ask(`${runs}/${encodeURIComponent(run)}/score`, body);
    given.push({ run, rating });
    await next();
  });

  const skip = () => doing(async () => {
    const { run } = about();
    if (skipped.includes(run)) skipped.splice(skipped.indexOf(run), 1);
    skipped.push(run);
    await next();
  });

  const back = () => doing(async () => {
    const last = given.pop();
    if (!last) return;
    await show(last.run, last.rating);
    progress.textContent = "Rated before; rate it again, or skip it to leave it as it is.";
    at("back").disabled = given.length === 0;
  });

  keyForm.addEventListener("submit", (event) => {
    event.preventDefault();
    const key = at("key").value.trim();
    if (!key) return;
    sessionStorage.setItem(KEY, key);
    at("key").value = "";
    doing(() => next(true));
  });
  at("forget").addEventListener("click", () => {
    at("to-rate").replaceChildren();
    forget();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!typed) return;
    const rating = Number(typed.value.replace(",", "."));
    if (typed.value.trim() && Number.isFinite(rating)) give(rating);
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.rating !== undefined) give(Number(button.dataset.rating));
    if (button?.id === "skip") skip();
    if (button?.id === "back") back();
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || form.hidden) return;
    const isWriting = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key === "Escape" && isWriting) document.activeElement.blur();
    if (isWriting) return;
    const key = event.key.toLowerCase();
    const button = [...form.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);
    if (button) give(Number(button.dataset.rating));
    else if (key === "n") skip();
    else if (key === "u") back();
    else if (key === "c") at("comment").focus();
    else return;
    event.preventDefault();
  });

  if (sessionStorage.getItem(KEY)) doing(() => next(true));
  else keyForm.hidden = false;
})();
