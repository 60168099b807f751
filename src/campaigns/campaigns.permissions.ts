import { EDITORS, STAFF, type Permissions } from '../graphql/rule.js';

export const CAMPAIGN_PERMISSIONS: Permissions = {
  query: {
    campaign: STAFF,
    campaigns: STAFF,
    previewCampaignRule: STAFF,
  },
  mutation: {
    createCampaign: EDITORS,
    updateCampaign: EDITORS,
    deleteCampaign: EDITORS,
    activateCampaign: EDITORS,
    pauseCampaign: EDITORS,
    resumeCampaign: EDITORS,
    endCampaign: EDITORS,
  },
};
