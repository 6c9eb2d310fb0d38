-- What changed when, table by table. The ledger's cycle of a table that changes as one is 1970-01-01: here it has none.
select competition as board, table_name, nullif("cycle", timestamp '1970-01-01') as "cycle", seq, known_from, changed_at
from {{ source("meta", "changes") }}
