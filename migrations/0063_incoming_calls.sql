-- Calls that come in to numbers at the agency's own accounts at Twilio and Plivo.

alter table agency_phone_numbers
  -- what sends the number's calls where they went before they came here, sealed: an address may hold a secret. Null: they went nowhere,
  -- or are where they always were. Numbers that are rented from here have `routed_before`.
  add column calls_before text,
  drop constraint agency_phone_numbers_carrier_connection_kind_check,
  add constraint agency_phone_numbers_carrier_connection_kind_check
    check (carrier_connection_kind in ('ours', 'call_control', 'texml', 'address', 'application', 'trunk', 'other'));
