// What makes pages quicker to use where there is JavaScript; without it every form has its button.
document.documentElement.classList.add("js");

function answer(form) {
  const asked = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    const field = form.elements[name];
    if (value !== "" && value !== field.dataset?.unless) asked.append(name, value);
  }
  const query = asked.toString();
  location.assign(form.action.split("?")[0] + (query ? "?" + query : ""));
}

for (const form of document.querySelectorAll("form[data-live]")) {
  form.addEventListener("change", (event) => {
    if (event.target.type !== "search" && event.target.type !== "text") answer(form);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    answer(form);
  });
}

document.addEventListener("keydown", (event) => {
  const search = document.querySelector("input[type=search]");
  if (event.key === "/" && search && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
    event.preventDefault();
    search.focus();
  }
});
