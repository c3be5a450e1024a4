import { existsSync } from 'node:fs';

/** The package's folder, as a URL that ends in `/`: the nearest one above this file with a `package.json`, from `src` and from `dist`. */
export function packageRoot(): URL {
  let url = new URL('./', import.meta.url);
  while (!existsSync(new URL('package.json', url))) {
    const above = new URL('../', url);
    if (above.href === url.href) throw new Error(`no package.json above the command line`);
    url = above;
  }
  return url;
}
