// Opens a page in Chromium, plays films in its <video> element, and says what happened as JSON, a line.
//
//   node play.cjs CHROMIUM PAGE_URL STEPS
//
// STEPS is JSON: [{"do": "open", "url": ...}, {"do": "seek", "to": seconds}, {"do": "fetch", "url": ..., "range": ...},
// {"do": "end"}], and what a person does with a page: "sees" and "misses" wait until something is shown, or is not;
// "says" reads it, "press", "write" and "choose" are for buttons, fields and files, "plays" waits until the film that is
// in the page plays. Places are CSS selectors; `having` takes the one with that text. It decides nothing: what is right is for who reads the line to say.
'use strict';
const { chromium } = require('playwright-core');

const DEADLINE_MS = 60_000;

// In the page: waits until the film has been played for a while from `second` on.
function playsOnFrom([second, deadline_ms]) {
	const video = document.querySelector('video');
	return new Promise((resolve, reject) => {
		const late = setTimeout(() => reject(new Error(`not on from ${second}, but at ${video.currentTime}`)), deadline_ms);
		const look = () => {
			if (video.seeking || video.currentTime < second + 0.3 || video.currentTime > second + 3) return;
			clearTimeout(late);
			video.removeEventListener('timeupdate', look);
			resolve(video.currentTime);
		};
		video.addEventListener('timeupdate', look);
		look();
	});
}

// In the page: the picture's bytes can be read only if the server allows it (CORS); a picture has many colours.
function coloursOfThePicture() {
	const video = document.querySelector('video');
	const canvas = document.createElement('canvas');
	canvas.width = 48;
	canvas.height = 27;
	const context = canvas.getContext('2d');
	context.drawImage(video, 0, 0, canvas.width, canvas.height);
	const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
	const colours = new Set();
	for (let i = 0; i < pixels.length; i += 4) colours.add(`${pixels[i] >> 4} ${pixels[i + 1] >> 4} ${pixels[i + 2] >> 4}`);
	return colours.size;
}

const steps = {
	async open(page, { url }) {
		const found = await page.evaluate(async (source) => {
			const video = document.querySelector('video');
			video.src = source;
			await video.play();
			return { duration: video.duration, width: video.videoWidth };
		}, url);
		found.at = await page.evaluate(playsOnFrom, [0, DEADLINE_MS]);
		found.colours = await page.evaluate(coloursOfThePicture);
		return found;
	},
	async seek(page, { to }) {
		await page.evaluate((second) => { document.querySelector('video').currentTime = second; }, to);
		return { at: await page.evaluate(playsOnFrom, [to, DEADLINE_MS]) };
	},
	async end(page) {
		return page.evaluate(() => {
			const video = document.querySelector('video');
			return video.ended || new Promise((resolve) => video.addEventListener('ended', () => resolve(true)));
		});
	},
	async plays(page) {
		const at = await page.evaluate(playsOnFrom, [0, DEADLINE_MS]);
		const found = await page.evaluate(() => {
			const video = document.querySelector('video');
			return { duration: video.duration, width: video.videoWidth };
		});
		return { ...found, at, colours: await page.evaluate(coloursOfThePicture) };
	},
	async sees(page, { what, having }) {
		await page.locator(what, { hasText: having }).first().waitFor({ state: 'visible' });
	},
	async misses(page, { what, having }) {
		await page.locator(what, { hasText: having }).first().waitFor({ state: 'hidden' });
	},
	async says(page, { what }) {
		return page.locator(what).first().innerText();
	},
	async holds(page, { what }) {
		return page.locator(what).first().inputValue();
	},
	async press(page, { button, what = 'body', having }) {
		await page.locator(what, { hasText: having }).first().getByRole('button', { name: button, exact: true }).click();
	},
	async write(page, { what, text }) {
		await page.locator(what).fill(text);
	},
	async choose(page, { what, path }) {
		await page.locator(what).setInputFiles(path);
	},
	// Waits until something is painted in a canvas.
	async painted(page, { what }) {
		await page.waitForFunction((selector) => {
			const canvas = document.querySelector(selector);
			const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
			return pixels.some((value) => value !== 0);
		}, what);
	},
	async fetch(page, { url, range }) {
		return page.evaluate(async ([source, wanted]) => {
			const answer = await fetch(source, { headers: { Range: wanted } });
			const headers = {};
			for (const name of ['content-range', 'content-length', 'accept-ranges', 'etag']) headers[name] = answer.headers.get(name);
			return { status: answer.status, headers, length: (await answer.arrayBuffer()).byteLength };
		}, [url, range]);
	},
};

async function main(executablePath, pageUrl, wanted) {
	const browser = await chromium.launch({
		executablePath,
		args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--mute-audio', '--disable-gpu'],
	});
	try {
		const page = await browser.newPage();
		page.setDefaultTimeout(DEADLINE_MS);
		await page.goto(pageUrl);
		const seen = [];
		for (const step of wanted) seen.push((await steps[step.do](page, step)) ?? null);
		console.log(JSON.stringify(seen));
	} finally {
		await browser.close();
	}
}

main(process.argv[2], process.argv[3], JSON.parse(process.argv[4])).catch((wrong) => {
	console.error(wrong);
	process.exitCode = 1;
});
