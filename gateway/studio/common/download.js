// Downloads, also where requests need a key.

/** Handle a click on a download link. Links cannot send an API key; if there is a key, the file is fetched first. */
export async function download(api, event) {
  const { href, download: name } = event.currentTarget;
  if (!api.keyed) return;
  event.preventDefault();
  const held = await api.mediaUrl(href);
  Object.assign(document.createElement("a"), { href: held.url, download: name }).click();
  setTimeout(held.release, 60_000); // the browser reads the URL after the click
}
