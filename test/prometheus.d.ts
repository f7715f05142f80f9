// The parser has no types of its own.

declare module "parse-prometheus-text-format" {
  const parse: (text: string) => never;
  export default parse;
}
