// What makes pages quicker to use where there is JavaScript; without it every form has its button.
document.documentElement.classList.add("js");

function answer(form) {
  const asked = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    const field = form.elements[name];
    if (value !== "" && value !== field.dataset?.unless) asked.append(name, value);
  }
  const address = new URL(form.action);
  address.search = asked.toString();
  location.assign(address);
}

for (const form of document.querySelectorAll("form[data-live]")) {
  // A date that is typed and a choice that is stepped through change with every key: then the form waits for Enter or its button.
  let byKeys = false;
  form.addEventListener("keydown", (event) => {
    byKeys = event.target.matches("select, [type=date]");
    if (event.key === "Enter" && event.target.matches("[type=date]")) {
      event.preventDefault();
      answer(form);
    }
  });
  form.addEventListener("pointerdown", () => { byKeys = false; });
  form.addEventListener("change", (event) => {
    if (event.target.type === "search" || event.target.type === "text") return;
    if (byKeys) form.classList.add("waits");
    else answer(form);
  });
  form.addEventListener("input", (event) => {
    if (event.target.type === "text") form.classList.add("waits");
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    answer(form);
  });
}

// A page that is come back to says what its address asks, not what was chosen on it when it was left.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-live]")) {
    form.reset();
    form.classList.remove("waits");
  }
});

document.addEventListener("keydown", (event) => {
  const search = document.querySelector("input[type=search]");
  if (event.key === "/" && search && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
    event.preventDefault();
    search.focus();
  }
});
