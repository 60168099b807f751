import calculateSlot from 'cluster-key-slot';

/** Parts of the slots of a cluster. What is not a tenant's (doorbells, jobs) is divided by them. */
const PARTITIONS = 16;
const SLOTS_EACH = 16_384 / PARTITIONS;

/**
 * Where the keys of a tag are. Masters serve ranges of slots, so whatever is in the partition of a tenant is nearly
 * always on the tenant's own master, and away only when the tenant's keys are.
 */
export function partitionOf(tag: string): number {
  return Math.floor(calculateSlot(tag) / SLOTS_EACH);
}

/** A hash tag for each partition. They are part of stored keys, so they never change. */
export const PARTITION_TAGS: readonly string[] = Array.from({ length: PARTITIONS }, (_, partition) => {
  let tag = 0;
  while (partitionOf(String(tag)) !== partition) tag += 1;
  return String(tag);
});
