export const SIZE_DEFAULT = 15;
const SIZE_MAX = 500;

/** How many rows a page of the requested size has at most. */
export function readPageSize(requested: number | null | undefined): number {
  return (requested ?? 0) <= 0 ? SIZE_DEFAULT : Math.min(requested ?? 0, SIZE_MAX);
}
