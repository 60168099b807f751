import type { MigrationObject } from '@mikro-orm/core';
import { Migration20261120000000_create_redemption_tables } from './Migration20261120000000_create_redemption_tables.js';
import { Migration20261121000000_keep_a_mark_of_deleted_tombstones } from './Migration20261121000000_keep_a_mark_of_deleted_tombstones.js';
import { Migration20261128030001_note_when_users_change } from './Migration20261128030001_note_when_users_change.js';
import { Migration20261128040001_number_the_versions_of_what_staff_edit } from './Migration20261128040001_number_the_versions_of_what_staff_edit.js';
import { Migration20261128040002_widen_totals_of_reward_values } from './Migration20261128040002_widen_totals_of_reward_values.js';
import { Migration20261128060001_find_codes_by_text_and_state } from './Migration20261128060001_find_codes_by_text_and_state.js';
import { Migration20261128070001_digest_idempotency_keys_of_redemptions } from './Migration20261128070001_digest_idempotency_keys_of_redemptions.js';
import { Migration20261128080001_keep_fingerprints_of_peppers } from './Migration20261128080001_keep_fingerprints_of_peppers.js';
import { Migration20261128720001_note_plans_that_are_held_for_ever } from './Migration20261128720001_note_plans_that_are_held_for_ever.js';
import { Migration20261128730001_find_codes_by_text_within_a_tenant } from './Migration20261128730001_find_codes_by_text_within_a_tenant.js';
import { Migration20261128740001_digest_idempotency_keys_of_campaigns_and_batches } from './Migration20261128740001_digest_idempotency_keys_of_campaigns_and_batches.js';
import { Migration20261128800001_number_events_in_their_transactions } from './Migration20261128800001_number_events_in_their_transactions.js';
import { Migration20261129011101_generate_batches_by_jobs } from './Migration20261129011101_generate_batches_by_jobs.js';
import { Migration20261129011201_count_live_codes_by_format } from './Migration20261129011201_count_live_codes_by_format.js';
import { Migration20261129011202_keep_pools_of_codes } from './Migration20261129011202_keep_pools_of_codes.js';
import { Migration20261129011203_keep_imports_of_codes } from './Migration20261129011203_keep_imports_of_codes.js';
import { Migration20261129011301_limit_single_callers_and_log_refusals } from './Migration20261129011301_limit_single_callers_and_log_refusals.js';
import { Migration20261129011401_keep_nodes_and_anchor_days } from './Migration20261129011401_keep_nodes_and_anchor_days.js';
import { Migration20261129011402_activate_and_extend_batches } from './Migration20261129011402_activate_and_extend_batches.js';
import { Migration20261129011403_count_codes_and_redemptions } from './Migration20261129011403_count_codes_and_redemptions.js';
import { Migration20261129030101_know_how_many_parts_a_file_has } from './Migration20261129030101_know_how_many_parts_a_file_has.js';
import { Migration20261129030102_find_imports_that_wait } from './Migration20261129030102_find_imports_that_wait.js';
import { Migration20261129030103_find_refused_attempts_by_refusal } from './Migration20261129030103_find_refused_attempts_by_refusal.js';
import { Migration20261129040101_keep_a_ledger } from './Migration20261129040101_keep_a_ledger.js';
import { Migration20261129040102_forbid_changes_of_entries } from './Migration20261129040102_forbid_changes_of_entries.js';
import { Migration20261129040201_keep_coupons } from './Migration20261129040201_keep_coupons.js';
import { Migration20261129040202_keep_points } from './Migration20261129040202_keep_points.js';
import { Migration20261129040301_place_pay_and_refund_orders } from './Migration20261129040301_place_pay_and_refund_orders.js';
import { Migration20261129040401_let_redemptions_be_reversed } from './Migration20261129040401_let_redemptions_be_reversed.js';
import { Migration20261129040501_name_the_currency_of_prices } from './Migration20261129040501_name_the_currency_of_prices.js';
import { Migration20261129050101_keep_sessions } from './Migration20261129050101_keep_sessions.js';
import { Migration20261129050102_keep_staff } from './Migration20261129050102_keep_staff.js';
import { Migration20261129050201_keep_partners } from './Migration20261129050201_keep_partners.js';
import { Migration20261129050202_keep_issuers_of_user_tokens } from './Migration20261129050202_keep_issuers_of_user_tokens.js';
import { Migration20261129050301_send_events_to_webhooks } from './Migration20261129050301_send_events_to_webhooks.js';
import { Migration20261129050401_keep_devices } from './Migration20261129050401_keep_devices.js';
import { Migration20261129050501_keep_settings_of_tenants } from './Migration20261129050501_keep_settings_of_tenants.js';
import { Migration20261129050701_note_which_subscriptions_hold_inventory } from './Migration20261129050701_note_which_subscriptions_hold_inventory.js';
import { Migration20261130010101_note_what_processes_do } from './Migration20261130010101_note_what_processes_do.js';
import { Migration20261130010102_keep_reports_of_reconciliation } from './Migration20261130010102_keep_reports_of_reconciliation.js';
import { Migration20261130010201_count_redemptions_over_time } from './Migration20261130010201_count_redemptions_over_time.js';
import { Migration20261130020101_keep_an_audit_log } from './Migration20261130020101_keep_an_audit_log.js';
import { Migration20261130040101_list_orders_by_state_and_redemptions_by_line } from './Migration20261130040101_list_orders_by_state_and_redemptions_by_line.js';
import { Migration20261130040201_find_users_by_tag_and_status } from './Migration20261130040201_find_users_by_tag_and_status.js';
import { Migration20261130050101_follow_the_tenant_directory } from './Migration20261130050101_follow_the_tenant_directory.js';
import { Migration20261130050201_erase_users } from './Migration20261130050201_erase_users.js';
import { Migration20261130060101_keep_recovery_codes_and_addresses_of_sessions } from './Migration20261130060101_keep_recovery_codes_and_addresses_of_sessions.js';
import { Migration20261130060201_number_the_versions_of_announcements } from './Migration20261130060201_number_the_versions_of_announcements.js';
import { Migration20261130060301_find_deliveries_by_status } from './Migration20261130060301_find_deliveries_by_status.js';
import { Migration20261130060401_show_the_progress_of_reconciliations } from './Migration20261130060401_show_the_progress_of_reconciliations.js';
import { Migration20261130092001_keep_the_time_zone_of_tenants } from './Migration20261130092001_keep_the_time_zone_of_tenants.js';
import { Migration20261130110001_lease_work_to_processes } from './Migration20261130110001_lease_work_to_processes.js';
import { Migration20261130115001_keep_subscription_tokens_unique_in_their_tenant } from './Migration20261130115001_keep_subscription_tokens_unique_in_their_tenant.js';
import { Migration20261201010001_note_as_of_when_tags_hold } from './Migration20261201010001_note_as_of_when_tags_hold.js';

/** Every migration, oldest first; named one by one, because compiled and source files must bear the same names. */
export const migrations: readonly MigrationObject[] = [
  {
    name: 'Migration20261120000000_create_redemption_tables',
    class: Migration20261120000000_create_redemption_tables,
  },
  {
    name: 'Migration20261121000000_keep_a_mark_of_deleted_tombstones',
    class: Migration20261121000000_keep_a_mark_of_deleted_tombstones,
  },
  {
    name: 'Migration20261128030001_note_when_users_change',
    class: Migration20261128030001_note_when_users_change,
  },
  {
    name: 'Migration20261128040001_number_the_versions_of_what_staff_edit',
    class: Migration20261128040001_number_the_versions_of_what_staff_edit,
  },
  {
    name: 'Migration20261128040002_widen_totals_of_reward_values',
    class: Migration20261128040002_widen_totals_of_reward_values,
  },
  {
    name: 'Migration20261128060001_find_codes_by_text_and_state',
    class: Migration20261128060001_find_codes_by_text_and_state,
  },
  {
    name: 'Migration20261128070001_digest_idempotency_keys_of_redemptions',
    class: Migration20261128070001_digest_idempotency_keys_of_redemptions,
  },
  {
    name: 'Migration20261128080001_keep_fingerprints_of_peppers',
    class: Migration20261128080001_keep_fingerprints_of_peppers,
  },
  {
    name: 'Migration20261128720001_note_plans_that_are_held_for_ever',
    class: Migration20261128720001_note_plans_that_are_held_for_ever,
  },
  {
    name: 'Migration20261128730001_find_codes_by_text_within_a_tenant',
    class: Migration20261128730001_find_codes_by_text_within_a_tenant,
  },
  {
    name: 'Migration20261128740001_digest_idempotency_keys_of_campaigns_and_batches',
    class: Migration20261128740001_digest_idempotency_keys_of_campaigns_and_batches,
  },
  {
    name: 'Migration20261128800001_number_events_in_their_transactions',
    class: Migration20261128800001_number_events_in_their_transactions,
  },
  {
    name: 'Migration20261129011101_generate_batches_by_jobs',
    class: Migration20261129011101_generate_batches_by_jobs,
  },
  {
    name: 'Migration20261129011201_count_live_codes_by_format',
    class: Migration20261129011201_count_live_codes_by_format,
  },
  {
    name: 'Migration20261129011202_keep_pools_of_codes',
    class: Migration20261129011202_keep_pools_of_codes,
  },
  {
    name: 'Migration20261129011203_keep_imports_of_codes',
    class: Migration20261129011203_keep_imports_of_codes,
  },
  {
    name: 'Migration20261129011301_limit_single_callers_and_log_refusals',
    class: Migration20261129011301_limit_single_callers_and_log_refusals,
  },
  {
    name: 'Migration20261129011401_keep_nodes_and_anchor_days',
    class: Migration20261129011401_keep_nodes_and_anchor_days,
  },
  {
    name: 'Migration20261129011402_activate_and_extend_batches',
    class: Migration20261129011402_activate_and_extend_batches,
  },
  {
    name: 'Migration20261129011403_count_codes_and_redemptions',
    class: Migration20261129011403_count_codes_and_redemptions,
  },
  {
    name: 'Migration20261129030101_know_how_many_parts_a_file_has',
    class: Migration20261129030101_know_how_many_parts_a_file_has,
  },
  {
    name: 'Migration20261129030102_find_imports_that_wait',
    class: Migration20261129030102_find_imports_that_wait,
  },
  {
    name: 'Migration20261129030103_find_refused_attempts_by_refusal',
    class: Migration20261129030103_find_refused_attempts_by_refusal,
  },
  {
    name: 'Migration20261129040101_keep_a_ledger',
    class: Migration20261129040101_keep_a_ledger,
  },
  {
    name: 'Migration20261129040102_forbid_changes_of_entries',
    class: Migration20261129040102_forbid_changes_of_entries,
  },
  {
    name: 'Migration20261129040201_keep_coupons',
    class: Migration20261129040201_keep_coupons,
  },
  {
    name: 'Migration20261129040202_keep_points',
    class: Migration20261129040202_keep_points,
  },
  {
    name: 'Migration20261129040301_place_pay_and_refund_orders',
    class: Migration20261129040301_place_pay_and_refund_orders,
  },
  {
    name: 'Migration20261129040401_let_redemptions_be_reversed',
    class: Migration20261129040401_let_redemptions_be_reversed,
  },
  {
    name: 'Migration20261129040501_name_the_currency_of_prices',
    class: Migration20261129040501_name_the_currency_of_prices,
  },
  {
    name: 'Migration20261129050101_keep_sessions',
    class: Migration20261129050101_keep_sessions,
  },
  {
    name: 'Migration20261129050102_keep_staff',
    class: Migration20261129050102_keep_staff,
  },
  {
    name: 'Migration20261129050201_keep_partners',
    class: Migration20261129050201_keep_partners,
  },
  {
    name: 'Migration20261129050202_keep_issuers_of_user_tokens',
    class: Migration20261129050202_keep_issuers_of_user_tokens,
  },
  {
    name: 'Migration20261129050301_send_events_to_webhooks',
    class: Migration20261129050301_send_events_to_webhooks,
  },
  {
    name: 'Migration20261129050401_keep_devices',
    class: Migration20261129050401_keep_devices,
  },
  {
    name: 'Migration20261129050501_keep_settings_of_tenants',
    class: Migration20261129050501_keep_settings_of_tenants,
  },
  {
    name: 'Migration20261129050701_note_which_subscriptions_hold_inventory',
    class: Migration20261129050701_note_which_subscriptions_hold_inventory,
  },
  {
    name: 'Migration20261130010101_note_what_processes_do',
    class: Migration20261130010101_note_what_processes_do,
  },
  {
    name: 'Migration20261130010102_keep_reports_of_reconciliation',
    class: Migration20261130010102_keep_reports_of_reconciliation,
  },
  {
    name: 'Migration20261130010201_count_redemptions_over_time',
    class: Migration20261130010201_count_redemptions_over_time,
  },
  {
    name: 'Migration20261130020101_keep_an_audit_log',
    class: Migration20261130020101_keep_an_audit_log,
  },
  {
    name: 'Migration20261130040101_list_orders_by_state_and_redemptions_by_line',
    class: Migration20261130040101_list_orders_by_state_and_redemptions_by_line,
  },
  {
    name: 'Migration20261130040201_find_users_by_tag_and_status',
    class: Migration20261130040201_find_users_by_tag_and_status,
  },
  {
    name: 'Migration20261130050101_follow_the_tenant_directory',
    class: Migration20261130050101_follow_the_tenant_directory,
  },
  {
    name: 'Migration20261130050201_erase_users',
    class: Migration20261130050201_erase_users,
  },
  {
    name: 'Migration20261130060101_keep_recovery_codes_and_addresses_of_sessions',
    class: Migration20261130060101_keep_recovery_codes_and_addresses_of_sessions,
  },
  {
    name: 'Migration20261130060201_number_the_versions_of_announcements',
    class: Migration20261130060201_number_the_versions_of_announcements,
  },
  {
    name: 'Migration20261130060301_find_deliveries_by_status',
    class: Migration20261130060301_find_deliveries_by_status,
  },
  {
    name: 'Migration20261130060401_show_the_progress_of_reconciliations',
    class: Migration20261130060401_show_the_progress_of_reconciliations,
  },
  {
    name: 'Migration20261130092001_keep_the_time_zone_of_tenants',
    class: Migration20261130092001_keep_the_time_zone_of_tenants,
  },
  {
    name: 'Migration20261130110001_lease_work_to_processes',
    class: Migration20261130110001_lease_work_to_processes,
  },
  {
    name: 'Migration20261130115001_keep_subscription_tokens_unique_in_their_tenant',
    class: Migration20261130115001_keep_subscription_tokens_unique_in_their_tenant,
  },
  {
    name: 'Migration20261201010001_note_as_of_when_tags_hold',
    class: Migration20261201010001_note_as_of_when_tags_hold,
  },
];
