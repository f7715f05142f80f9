// Preloaded into the deploying process: what it asks of the deployed service goes to the stand-in, which serves it.
const { STAND_IN: standIn } = process.env;
const real = globalThis.fetch;

globalThis.fetch = (url, init) => real(`${url}`.replace(/^https:\/\//, `${standIn}/served/`), init);
