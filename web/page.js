// The page at "/": adds, plays and removes torrents, and shows what the memory does.
//
// It speaks to the API that docs/openapi.yaml describes and to nothing else. Names come from strangers: they are set
// as text, never as HTML. All addresses are relative, so that the page works behind a proxy that puts it into a folder.
'use strict';

const api = 'api/v1/';
const by_id = (id) => document.getElementById(id);
const shown = new Map();  // id of a torrent -> { summary, files, element }
let playing = null;       // { id, index, size_bytes }

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (key === 'class') made.className = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function size_text(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (bytes >= 1024 && unit + 1 < units.length) { bytes /= 1024; ++unit; }
  return (unit === 0 || bytes >= 100 ? Math.round(bytes) : bytes.toFixed(1)) + ' ' + units[unit];
}

function tell(trouble) {
  by_id('trouble').textContent = trouble;
  by_id('trouble').hidden = !trouble;
}

// The JSON of an answer, or nothing and the server's own words shown.
async function ask(path, options) {
  try {
    const answer = await fetch(api + path, options);
    if (answer.status === 204) { tell(''); return {}; }
    const said = await answer.json();
    if (answer.ok) { tell(''); return said; }
    tell(said.detail ?? said.title);
  } catch (failure) {
    tell('The server does not answer: ' + failure.message);
  }
  return null;
}

const base = () => new URL('.', location.href).href;
// An address of the API ("/stream/...") as this page reaches it.
const address = (path) => new URL(path.slice(1), base()).href;

function play(id, file) {
  playing = { id, index: file.index };
  const video = by_id('video');
  by_id('player-name').textContent = file.name;
  by_id('player-note').hidden = true;
  by_id('player').hidden = false;
  video.replaceChildren(...subtitles_of(id).map((s) => element('track', { kind: 'subtitles', label: s.name, src: address(s.stream_url) })));
  video.src = address(file.stream_url);
  video.play().catch(() => {});  // a browser may want to be asked again; its controls are there
  by_id('player').scrollIntoView({ block: 'nearest' });
  show_pieces();
}

// Browsers take WebVTT only.
function subtitles_of(id) {
  return (shown.get(id)?.files ?? []).filter((f) => f.stream_url && f.media_type === 'text/vtt');
}

function close_player() {
  playing = null;
  const video = by_id('video');
  video.removeAttribute('src');
  video.replaceChildren();
  video.load();  // ends the stream
  by_id('player').hidden = true;
}

by_id('player-close').addEventListener('click', close_player);
by_id('video').addEventListener('error', () => {
  if (!playing) return;
  by_id('player-note').replaceChildren('This browser does not play the file, or its bytes could not be had. Another player may: ',
    element('a', { href: 'playlist/' + playing.id + '.m3u' }, 'playlist'), '.');
  by_id('player-note').hidden = false;
});

// What of the torrent is in memory, and the windows of its readers, as one line of a picture.
async function show_pieces() {
  const watched = playing;
  if (!watched) return;
  let details;
  try {
    const answer = await fetch(api + 'torrents/' + watched.id);
    if (!answer.ok) return;
    details = await answer.json();
  } catch { return; }
  if (watched !== playing || !details.num_pieces) return;
  const canvas = by_id('pieces');
  canvas.width = Math.min(details.num_pieces, 2000);
  const paint = canvas.getContext('2d');
  const scale = canvas.width / details.num_pieces;
  const bar = (first, count, colour) => {
    paint.fillStyle = colour;
    paint.fillRect(first * scale, 0, Math.max(count * scale, 1), 1);
  };
  for (const r of details.reader_list) bar(r.window.first_piece, r.window.end_piece - r.window.first_piece, '#3b82f644');
  const colours = { partial: '#f59e0b', complete: '#60a5fa', verified: '#22c55e' };
  for (const run of details.piece_runs) if (run.state !== 'absent') bar(run.first, run.count, colours[run.state]);
}

function file_row(id, file) {
  const row = element('li', {}, element('span', { class: 'name' }, file.path), element('span', { class: 'size' }, size_text(file.size_bytes)));
  if (file.kind === 'video' || file.kind === 'audio')
    row.prepend(element('button', { type: 'button', onclick: () => play(id, file) }, 'Play'));
  row.append(element('a', { href: address(file.stream_url) }, 'link'));
  return row;
}

function state_text(t) {
  if (t.failure) return t.failure;
  const parts = [t.paused ? 'paused' : { metadata: 'waiting for its files’ names', checking: 'checking', ready: 'ready' }[t.phase] ?? t.phase];
  if (t.size_bytes) parts.push(size_text(t.size_bytes));
  parts.push(t.peers + (t.peers === 1 ? ' peer' : ' peers'));
  if (t.download_rate_bytes_s >= 1024) parts.push('↓ ' + size_text(t.download_rate_bytes_s) + '/s');
  if (t.upload_rate_bytes_s >= 1024) parts.push('↑ ' + size_text(t.upload_rate_bytes_s) + '/s');
  if (t.readers) parts.push(t.readers + (t.readers === 1 ? ' player' : ' players'));
  return parts.join(' · ');
}

function torrent_element(t) {
  const state = element('p', { class: 'state' });
  const files = element('ul');
  const pause = element('button', { type: 'button', onclick: async () => {
    const now = shown.get(t.id)?.summary.paused;
    await ask('torrents/' + t.id + (now ? '/resume' : '/pause'), { method: 'POST' });
  } });
  const remove = element('button', { type: 'button', onclick: async () => {
    if (playing?.id === t.id) close_player();
    if (await ask('torrents/' + t.id, { method: 'DELETE' })) forget(t.id);
  } }, 'Remove');
  const made = element('article', { class: 'torrent' },
    element('header', {}, element('h2', {}, t.name || t.id), element('a', { href: 'playlist/' + t.id + '.m3u' }, 'playlist'), pause, remove), state, files);
  return { made, title: made.querySelector('h2'), state, files, pause };
}

function forget(id) {
  shown.get(id)?.element.made.remove();
  shown.delete(id);
  by_id('nothing').hidden = shown.size > 0;
}

async function list_files(id) {
  const one = await ask('torrents/' + id);
  const here = shown.get(id);
  if (!one || !here) return;
  here.files = one.files.filter((f) => !f.pad);
  const order = new Intl.Collator(undefined, { numeric: true });
  const rows = [...here.files].sort((a, b) => order.compare(a.path, b.path)).map((f) => file_row(id, f));
  here.element.files.replaceChildren(...rows);
}

function show_torrents(list) {
  for (const id of [...shown.keys()]) if (!list.some((t) => t.id === id)) forget(id);
  for (const t of list) {
    if (!shown.has(t.id)) {
      shown.set(t.id, { summary: t, files: null, element: torrent_element(t) });
      by_id('torrents').append(shown.get(t.id).element.made);
    }
    const here = shown.get(t.id);
    const had_files = here.summary.num_pieces > 0 && here.files;
    here.summary = t;
    here.element.title.textContent = t.name || t.id;
    here.element.state.textContent = state_text(t);
    here.element.state.classList.toggle('failed', Boolean(t.failure));
    here.element.pause.textContent = t.paused ? 'Resume' : 'Pause';
    if (!had_files && t.num_pieces > 0) { here.files = []; list_files(t.id); }
  }
  by_id('nothing').hidden = list.length > 0;
}

function show_memory(m) {
  const share = m.capacity_bytes ? Math.round(100 * m.used_bytes / m.capacity_bytes) : 0;
  by_id('memory').setAttribute('aria-valuenow', share);
  by_id('memory-used').style.width = share + '%';
  by_id('memory-text').textContent = size_text(m.used_bytes) + ' of ' + size_text(m.capacity_bytes);
}

by_id('add').addEventListener('submit', async (event) => {
  event.preventDefault();
  const uri = by_id('uri').value.trim();
  if (!uri) return tell('Give a magnet link first: it begins with magnet:?xt=urn:btih:');
  const added = await ask('torrents', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ uri }) });
  if (added) by_id('uri').value = '';
});

const add_file = (file) => ask('torrents', { method: 'POST', headers: { 'Content-Type': 'application/x-bittorrent' }, body: file });
by_id('file').addEventListener('change', async (event) => {
  for (const file of event.target.files) await add_file(file);
  event.target.value = '';
});

addEventListener('dragover', (event) => { event.preventDefault(); document.body.classList.add('over'); });
addEventListener('dragleave', () => document.body.classList.remove('over'));
addEventListener('drop', async (event) => {
  event.preventDefault();
  document.body.classList.remove('over');
  for (const file of event.dataTransfer.files) await add_file(file);
  const text = event.dataTransfer.getData('text').trim();
  if (text.startsWith('magnet:')) { by_id('uri').value = text; by_id('add').requestSubmit(); }
});

const events = new EventSource(api + 'events');
events.addEventListener('torrents', (event) => { show_torrents(JSON.parse(event.data)); show_pieces(); });
events.addEventListener('readers', show_pieces);
events.addEventListener('memory', (event) => show_memory(JSON.parse(event.data)));
events.addEventListener('open', () => tell(''));
events.addEventListener('error', () => tell(events.readyState === EventSource.CLOSED
  ? 'The server does not tell this page what it does: too many pages may be open. Reload to try again.'
  : 'The server does not answer. This page tries again by itself.'));
