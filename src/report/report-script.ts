/**
 * The page's only script: unfolding, filtering, and showing an arrow and its row together. Nothing is lost without it. It makes
 * no markup, asks for nothing and runs no text of the page; the page's policy lets this very text run and no other.
 */
export const REPORT_SCRIPT = `
'use strict';
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
for (const element of all('[data-needs-script]')) element.hidden = false;

for (const button of all('button[data-unfold]')) {
  button.addEventListener('click', () => {
    const open = button.dataset.unfold === 'open';
    for (const details of all('details', button.closest('section'))) details.open = open || details.matches('.run');
  });
}

const filters = all('[data-filter]');
const rows = all('tbody[data-adoption]');
const groups = all('[data-group]');
const shown = document.querySelector('[data-shown]');
function filter() {
  let count = 0;
  for (const row of rows) {
    row.hidden = !filters.every(({ dataset, value }) => value === '' || row.dataset[dataset.filter] === value);
    if (!row.hidden) count++;
  }
  for (const group of groups) {
    const some = all('tbody[data-adoption]', group).some((row) => !row.hidden);
    group.hidden = !some;
    if (some && count < rows.length) group.open = true;
  }
  if (shown) shown.textContent = count === rows.length ? '' : count + ' of ' + rows.length + ' shown';
}
for (const select of filters) select.addEventListener('change', filter);

function mark(number, on) {
  for (const element of all('[data-adoption]')) {
    if (element.dataset.adoption === number) element.classList.toggle('lit', on);
  }
}
for (const element of all('[data-adoption]')) {
  element.addEventListener('pointerenter', () => mark(element.dataset.adoption, true));
  element.addEventListener('pointerleave', () => mark(element.dataset.adoption, false));
}

function unfoldTarget() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  target.hidden = false;
  for (let box = target; box; box = box.parentElement) if (box.tagName === 'DETAILS') box.open = true;
  const inside = target.querySelector('details');
  if (inside) inside.open = true;
  target.scrollIntoView({ block: 'start' });
}
addEventListener('hashchange', unfoldTarget);
unfoldTarget();

let folded = [];
addEventListener('beforeprint', () => {
  folded = all('details:not([open])').filter((details) => !details.matches('[data-print="folded"] details, .gap'));
  for (const details of folded) details.open = true;
});
addEventListener('afterprint', () => {
  for (const details of folded) details.open = false;
});
`;
