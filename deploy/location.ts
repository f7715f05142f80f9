// Where the database is made, and so where jobs are kept: both take the same names. Nothing moves them later.

export const LOCATIONS = ["weur", "eeur", "enam", "wnam", "apac", "oc"] as const;
export type Location = (typeof LOCATIONS)[number];

export const WHERE: Record<Location, string> = {
  weur: "Western Europe",
  eeur: "Eastern Europe",
  enam: "Eastern North America",
  wnam: "Western North America",
  apac: "Asia-Pacific",
  oc: "Oceania",
};

const BY_AREA: Record<string, Location> = {
  Europe: "weur",
  Africa: "weur",
  Atlantic: "weur",
  Arctic: "weur",
  Asia: "apac",
  Indian: "apac",
  Australia: "oc",
  Pacific: "oc",
};

const HOUR_MINUTES = 60;

/**
 * A guess from the machine's own time zone. Null where that says nothing (UTC): Cloudflare then chooses by the address.
 * @param utcOffsetMinutes as `Date.getTimezoneOffset` has it: positive west of Greenwich
 */
export function locationNear(timeZone: string, utcOffsetMinutes: number): Location | null {
  const area = timeZone.split("/")[0] ?? "";
  if (area === "America") return utcOffsetMinutes >= 7 * HOUR_MINUTES ? "wnam" : "enam";
  return BY_AREA[area] ?? null;
}

/** A region as D1 tells it (`WEUR`). Null for one that no object can be placed in. */
export function locationOf(region: string): Location | null {
  return LOCATIONS.find((location) => location === region.toLowerCase()) ?? null;
}
