/** How deep objects and arrays of a body may be nested. No API type comes near; upstream gives up at 10,000. */
export const maxNesting = 1000;
