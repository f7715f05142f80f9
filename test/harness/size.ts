/** `npm run test:workers`: the sizes of the contract. `npm test` proves the same with less of everything. */
export const FULL_SIZE = process.env.FULL_SIZE === "1";
