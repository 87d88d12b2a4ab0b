"""The questions, in the languages of the peers. None of them asks for a cause: that is more than a query can say."""

from dataclasses import dataclass

# What entries are called in each dialect of SQL.
NESTED = {
    "time": "stageTimestamp", "user": '"user".username', "namespace": "objectRef.namespace", "name": "objectRef.name",
    "subresource": "objectRef.subresource", "code": "responseStatus.code", "addresses": "sourceIPs",
    "agent": "userAgent", "id": "auditID",
}
FLAT = {
    "time": "log_time", "user": '"user/username"', "namespace": '"objectRef/namespace"', "name": '"objectRef/name"',
    "subresource": '"objectRef/subresource"', "code": '"responseStatus/code"', "addresses": "log_raw_text",
    "agent": "userAgent", "id": "auditID",
}
# What an answer of audit-who says too, in the order of the columns above.
ANSWER = "{time}, {user}, {namespace}, {name}, {code}, {addresses}, {agent}, {id}"
ANSWER_JQ = """[.stageTimestamp, .user.username, .objectRef.namespace, .objectRef.name, .responseStatus.code,
    .sourceIPs[0], .userAgent, .auditID] | @tsv"""


@dataclass
class Question:
    """`sql` has {log} for the table and the columns above; `jq` is a filter, whose output lines `shell` may go through."""

    sql: str
    jq: str
    shell: str = ""


def evicted(name, since=None):
    """Which pods of this name, or beginning with it if it ends in `*`, were evicted, when and by whom."""
    prefix = name.removesuffix("*")
    is_pattern = prefix != name
    sql = f"LIKE '{prefix}%'" if is_pattern else f"= '{name}'"
    jq = f'(.objectRef.name//""|startswith("{prefix}"))' if is_pattern else f'.objectRef.name=="{name}"'
    where = ["stage = 'ResponseComplete'", "{subresource} = 'eviction'", f"{{name}} {sql}"]
    tests = ['.stage=="ResponseComplete"', '.objectRef.subresource=="eviction"', jq]
    if since:
        where.append(f"{{time}} >= '{since}'")
        tests.append(f'.stageTimestamp>="{since}"')
    return Question(
        sql=f"SELECT {ANSWER} FROM {{log}} WHERE {' AND '.join(where)}",
        jq=f"select({' and '.join(tests)}) | {ANSWER_JQ}",
    )


def top_users():
    """The twenty users with most requests."""
    return Question(
        sql="SELECT {user}, count(*) AS n FROM {log} WHERE stage = 'ResponseComplete' GROUP BY {user} ORDER BY n DESC LIMIT 20",
        jq='select(.stage=="ResponseComplete") | .user.username',
        shell="sort | uniq -c | sort -rn | head -n 20",
    )
