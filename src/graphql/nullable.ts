/** Options of a field that may be null, or missing where it is asked for. */
export const nullable = (description: string) => ({ nullable: true, description }) as const;
