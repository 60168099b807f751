/** The version of the program, as `package.json` has it; written out because the bundled program has no such file beside it. */
export const OWN_VERSION = '0.1.0';
