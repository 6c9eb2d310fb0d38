-- What changed when, table by table.
select competition as board, table_name, "cycle", seq, known_from, changed_at
from {{ source("meta", "changes") }}
