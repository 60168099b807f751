import { EDITORS, NODES, STAFF, USERS, type Permissions } from '../graphql/rule.js';

export const SUBSCRIPTION_PERMISSIONS: Permissions = {
  query: {
    plan: { ...USERS, ...STAFF },
    plans: { ...USERS, ...STAFF },
    mySubscriptions: USERS,
    subscriptions: STAFF,
    subscriptionNodes: USERS,
    node: STAFF,
    nodes: STAFF,
    nodeUser: { ...NODES, ...EDITORS },
    nodeUsers: { ...NODES, ...EDITORS },
  },
  mutation: {
    createPlan: EDITORS,
    updatePlan: EDITORS,
    createNode: EDITORS,
    updateNode: EDITORS,
    deleteNode: EDITORS,
    createNodeToken: EDITORS,
  },
  subscription: {
    nodesChanged: { ...NODES, ...STAFF },
    subscriptionInvalidated: { ...USERS, ...STAFF, ...NODES },
  },
};
