/** What the forms that give a campaign codes have in common. */
export interface AddCodesFormProps {
  /** The campaign that gets them; empty where it is to be chosen. */
  readonly campaignId: string;
  readonly onClose: () => void;
  /** @param codes that can be read this once; null where they can be read later */
  readonly onBatch: (batchId: string, codes: readonly string[] | null) => void;
}
