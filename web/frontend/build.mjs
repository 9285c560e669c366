// Bundles the scripts and styles into ../static under hashed names, and writes manifest.json (plain name -> hashed name)
// and LICENSES.txt. Prints what a page weighs, and fails when it weighs too much.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "static");
const SCRIPTS = ["now.js", "history.js"]; // one a page: a page's budget is its script's
const SCRIPT_BUDGET = 45 * 1024;
const STYLE_BUDGET = 12 * 1024;

const named = (name, bytes) => {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 10);
  return `${basename(name, extname(name))}-${hash}${extname(name)}`;
};

// Shares of a bar as classes (w0 to w100): the page's policy allows no style attribute.
const shares = {
  name: "shares",
  setup(builder) {
    builder.onResolve({ filter: /^shares$/ }, () => ({ path: "shares", namespace: "shares" }));
    builder.onLoad({ filter: /.*/, namespace: "shares" }, () => ({
      contents: Array.from({ length: 101 }, (_, n) => `.w${n}{width:${n}%}`).join(""),
      loader: "css",
    }));
  },
};

const result = await build({
  absWorkingDir: here,
  entryPoints: [...SCRIPTS, "app.css"].map((name) => join("src", name)),
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2020", "chrome90", "firefox90", "safari15"],
  outdir: out,
  write: false,
  plugins: [shares],
  metafile: true,
  legalComments: "none",
  logLevel: "warning",
});

const files = new Map(result.outputFiles.map((file) => [basename(file.path), Buffer.from(file.contents)]));
for (const name of await readdir(join(here, "public"))) files.set(name, await readFile(join(here, "public", name)));

const manifest = {};
for (const [name, bytes] of files) if (name !== "site.webmanifest") manifest[name] = named(name, bytes);
// The web manifest names the icons by their hashed names, so it comes last.
const site = JSON.parse(files.get("site.webmanifest").toString());
for (const icon of site.icons) icon.src = manifest[icon.src];
files.set("site.webmanifest", Buffer.from(JSON.stringify(site)));
manifest["site.webmanifest"] = named("site.webmanifest", files.get("site.webmanifest"));

const packages = new Set();
for (const input of Object.keys(result.metafile.inputs)) {
  const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
  if (found) packages.add(found[1]);
}
let licences = "Foyer's pages hold the work of others:\n";
for (const name of [...packages].sort()) {
  const root = join(here, "node_modules", name);
  const about = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const text = (await readdir(root)).find((file) => /^licen[cs]e/i.test(file));
  licences += `\n${about.name} ${about.version} (${about.license})\n\n${(await readFile(join(root, text), "utf8")).trim()}\n`;
}
licences += "\nSHA-256 of the built files:\n";
for (const [name, bytes] of files) licences += `${createHash("sha256").update(bytes).digest("hex")}  ${manifest[name]}\n`;

await mkdir(out, { recursive: true });
for (const [name, bytes] of files) await writeFile(join(out, manifest[name]), bytes);
await writeFile(join(out, "LICENSES.txt"), licences);
await writeFile(join(out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
const kept = new Set([...Object.values(manifest), "LICENSES.txt", "manifest.json"]);
for (const name of await readdir(out)) if (!kept.has(name)) await rm(join(out, name), { recursive: true });

let heavy = false;
for (const [name, budget] of [...SCRIPTS.map((name) => [name, SCRIPT_BUDGET]), ["app.css", STYLE_BUDGET]]) {
  const size = gzipSync(files.get(name), { level: 9 }).length;
  const verdict = size > budget ? "TOO HEAVY" : "ok";
  console.log(`${name}: ${(size / 1024).toFixed(1)} kB gzip of ${budget / 1024} allowed, ${verdict}`);
  heavy ||= size > budget;
}
process.exit(heavy ? 1 : 0);
