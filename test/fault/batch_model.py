"""What the rows of a table must be after a crash, batch by batch.

A batch is a set of rows written together under one number. Its state is None (absent) or
(rows, version): row `seq` of batch b holds amount = (b * 31 + seq) % 1009 + 7 * version.
A statement or transaction without an answer leaves a choice between two states of all its batches.
"""


def amount(batch, seq):
    return (batch * 31 + seq) % 1009


def payload(batch, seq):
    return "p" * ((batch + seq) % 40)


def facts(batch, state):
    """What the checking query must give for a batch: rows, distinct seq, versions, sums."""
    rows, version = state
    total = sum(amount(batch, seq) for seq in range(rows)) + 7 * version * rows
    return (rows, rows, version, version, total, sum(len(payload(batch, seq)) for seq in range(rows)))


CHECK = ("SELECT batch, count(*), count(DISTINCT seq), min(version), max(version), sum(amount), "
         "sum(length(payload)) FROM ledger GROUP BY batch")


class BatchModel:
    """One client's batches; no other client touches them."""

    def __init__(self, client):
        self.client = client
        self.states = {}
        self.pending = None   # states after the unanswered statement, or None
        self.next = 0

    def new_batch(self):
        self.next += 1
        return self.client * 1_000_000 + self.next

    def living(self):
        return [batch for batch, state in self.states.items() if state is not None]

    def begin(self, changes):
        """A statement that would make these changes is sent."""
        self.pending = changes

    def acknowledged(self):
        self.states.update(self.pending)
        self.pending = None

    def refused(self):
        self.pending = None

    def check(self, found):
        """Compares with {batch: facts}, settles what was unanswered. Returns (problems, outcome)."""
        mine = {b: f for b, f in found.items() if b // 1_000_000 == self.client}
        before = {b: s for b, s in self.states.items() if s is not None}
        problems = self.mismatch(before, mine)
        if self.pending is None:
            return problems, None
        after = {b: s for b, s in {**self.states, **self.pending}.items() if s is not None}
        outcome = "absent"
        if problems:
            other = self.mismatch(after, mine)
            if other:
                return [f"neither before nor after the unanswered {self.pending}: {problems[:2]} / {other[:2]}"], None
            self.states.update(self.pending)
            outcome = "there"
        self.pending = None
        return [], outcome

    @staticmethod
    def mismatch(expected, found):
        problems = []
        for batch in expected.keys() | found.keys():
            wanted = facts(batch, expected[batch]) if batch in expected else None
            if wanted != found.get(batch):
                problems.append(f"batch {batch}: expected {wanted}, found {found.get(batch)}")
        return problems
