import { Command } from '@commander-js/extra-typings';
import { addAuditCommands } from './audit.command.js';
import { addBatchCommands } from './batch.command.js';
import { addCampaignCommands } from './campaign.command.js';
import { addCodesCommands } from './codes.command.js';
import { addCompensateCommand } from './compensate.command.js';
import { addCouponCommands } from './coupon.command.js';
import { addDirectoryCommands } from './directory.command.js';
import { addIssuerCommands } from './issuer.command.js';
import { addMigrateCommand } from './migrate.command.js';
import { addMoneyCommands } from './money.command.js';
import { addNodeCommands } from './node.command.js';
import { addPartnerCommands } from './partner.command.js';
import { addPendingCommands } from './pending.command.js';
import { addPlanCommands } from './plan.command.js';
import { addPointsCommands } from './points.command.js';
import { addReconcileCommand } from './reconcile.command.js';
import { addRecountCommand } from './recount.command.js';
import { addRedeemCommand } from './redeem.command.js';
import { addRedemptionCommands } from './redemption.command.js';
import { addRedigestCommand } from './redigest.command.js';
import { addSchemaCommand } from './schema.command.js';
import { addProductLineCommands } from './product-line.command.js';
import { addStaffCommands } from './staff.command.js';
import { addTenantCommands } from './tenant.command.js';
import { addTokenCommand } from './token.command.js';
import { OWN_COMMAND } from '../platform/own-command.js';
import { oneLine } from '../app/failure-message.js';
import { addUserCommands } from './user.command.js';
import { addWebhookCommands } from './webhook.command.js';

const STORES = `
Works on DATABASE_URL and REDIS_URL where they are set; else on the Redeemkit that runs with the data folder
(DATA_DIR); else it starts the private servers for the time of the command. Results go to standard output, everything
else to standard error. Exit status: 0 done, 1 refused or failed, 2 wrong usage.

Example:
  ${OWN_COMMAND} token --tenant DEMO --user demo-user`;

/** The command line. Commands throw; what is shown of it is decided in one place, `failures.ts`. */
export function createProgram() {
  const program = new Command(OWN_COMMAND)
    .description('Operates a Redeemkit from the command line.')
    .option('--verbose', 'log progress, and failures with their stack, to standard error')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text, write) => write(`${oneLine(text)}\n`) })
    .exitOverride()
    .addHelpText('after', STORES);
  addTokenCommand(program);
  addTenantCommands(program);
  addDirectoryCommands(program);
  addProductLineCommands(program);
  addStaffCommands(program);
  addUserCommands(program);
  addPartnerCommands(program);
  addIssuerCommands(program);
  addPlanCommands(program);
  addNodeCommands(program);
  addMoneyCommands(program);
  addCouponCommands(program);
  addPointsCommands(program);
  addCampaignCommands(program);
  addBatchCommands(program);
  addCodesCommands(program);
  addRedeemCommand(program);
  addRedemptionCommands(program);
  addWebhookCommands(program);
  addAuditCommands(program);
  addReconcileCommand(program);
  addCompensateCommand(program);
  addRecountCommand(program);
  addPendingCommands(program);
  addRedigestCommand(program);
  addMigrateCommand(program);
  addSchemaCommand(program);
  return program;
}
