// Style sheets are part of the script, as text.

declare module "*.css?inline" {
  const css: string;
  export default css;
}
