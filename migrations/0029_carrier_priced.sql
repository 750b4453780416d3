-- A carrier's price from before 0020 whose event that migration could not read counts as told when the call was over: what costs
-- something was priced.
alter table calls no force row level security;
update calls set carrier_priced_at = coalesce(ended_at, started_at) where carrier_priced_at is null and carrier_cost <> 0;
alter table calls force row level security;
