/**
 * Of the page of the access report: search and filters. Without it, everything is there to be read.
 *
 * `data-d` of a user has the numbers of its databases, `data-f` letters for what the second filter asks for.
 */
export const SCRIPT = `
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const [tools, search, database, kind, count] = ['tools', 'search', 'database', 'kind', 'count'].map(id => document.getElementById(id));
  const rows = all('tbody').map(body => ({ body, user: body.dataset.d !== undefined, text: body.textContent.toLowerCase(), d: (body.dataset.d || '').split(' '), f: body.dataset.f || '' }));
  const users = rows.filter(row => row.user).length;
  const apply = () => {
    const words = search.value.toLowerCase().split(/\\s+/).filter(word => word);
    let shown = 0;
    for (const { body, user, text, d, f } of rows) {
      const fits = words.every(word => text.includes(word)) && (!user || ((!database.value || d.includes(database.value)) && (!kind.value || f.includes(kind.value))));
      body.hidden = !fits;
      shown += user && fits ? 1 : 0;
    }
    for (const part of all('[data-part]')) {
      const left = all('tbody', part).some(body => !body.hidden);
      part.querySelector('table').hidden = !left;
      part.querySelector('.nothing').hidden = left;
    }
    count.textContent = shown === users ? users + (users === 1 ? ' user' : ' users') : shown + ' of ' + users + ' users';
  };
  for (const control of [search, database, kind]) {
    control.addEventListener('input', apply);
  }
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    } else if (event.key === 'Escape') {
      search.value = database.value = kind.value = '';
      apply();
    }
  });
  addEventListener('beforeprint', () => all('details').forEach(details => { details.open = true; }));
  document.documentElement.classList.add('js');
  tools.hidden = false;
  apply();
})();
`;
