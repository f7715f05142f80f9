// Files that the bundle carries as they are (wrangler.toml, `[[rules]]`).

declare module "*.gz" {
  const content: ArrayBuffer;
  export default content;
}
