// Shows, while somebody types, those entries of a list that may be meant. The form
// around the field asks the server for the same.
"use strict";
for (const field of document.querySelectorAll("input[data-filters]")) {
  const list = document.getElementById(field.dataset.filters);
  const count = document.querySelector(`[data-counts="${field.dataset.filters}"]`);
  if (!list || !count) continue;
  const entries = [...list.children];
  field.addEventListener("input", () => {
    const words = field.value.normalize("NFKC").toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const entry of entries) {
      entry.hidden = !words.every((word) => entry.dataset.find.includes(word));
      if (!entry.hidden) shown++;
    }
    count.textContent = count.dataset.form.replace("#", shown.toLocaleString("en-US"));
  });
}
