// Numbers as people read them.

/** `1,234`, whatever the browser's language is: the pages are in English. */
export const formatNumber = (n: number): string => n.toLocaleString("en-GB");
