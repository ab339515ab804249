"""What a part prints: its workloads and its targets."""

import statistics

from measuring.servers import bench, note


class Table:
    """Targets, and whether they were met."""

    def __init__(self, lenience):
        self.rows = []
        self.missed = 0
        self.lenience = lenience

    def target(self, what, found, least=None, most=None, unit="", detail=""):
        """Without `least` and `most` there is a figure and no target."""
        least = least and least / self.lenience
        most = most and most * self.lenience
        met = (least is None or found >= least) and (most is None or found <= most)
        self.missed += not met
        bounds = [f"{sign} {bound:g}{unit}" for sign, bound in (("≥", least), ("≤", most)) if bound is not None]
        wanted = "".join(bounds) or "none"
        verdict = ("met" if met else "**missed**") if bounds else ""
        self.rows.append((what, f"{found:.3g}{unit}", wanted, verdict, detail))
        note(f"{what}: {found:.3g}{unit}, target {wanted}")

    def print(self):
        print("| what | found | target | | how |\n|---|---|---|---|---|")
        for row in self.rows:
            print("| " + " | ".join(row) + " |")
        print()


class Rates:
    """Several workloads, alternated."""

    def __init__(self, runs):
        self.runs = runs
        self.work = {}

    def add(self, name, operation, server=None, **options):
        self.work[name] = (operation, server, options)

    def measure(self, seconds):
        taken = {name: [] for name in self.work}
        for run in range(self.runs):
            for name, (operation, server, options) in self.work.items():
                result = bench(operation, server, seconds, **options)
                taken[name].append(result)
                note(f"run {run + 1}: {name}: {result['per_second']:.0f}/s, p99 {result['p99_us']} µs")
        self.taken = taken
        return self

    def rates(self, name):
        return [result["per_second"] for result in self.taken[name]]

    def ratio(self, name, other):
        """The median of what the rounds say: a machine that slows down slows both sides of a round."""
        return statistics.median(rate / base for rate, base in zip(self.rates(name), self.rates(other)))

    def print(self):
        print("| workload | /s, median | runs | p50 µs | p99 µs |\n|---|---|---|---|---|")
        for name, results in self.taken.items():
            runs = " · ".join(f"{r['per_second']:.0f}" for r in results)
            p50, p99 = (statistics.median(r[key] for r in results) for key in ("p50_us", "p99_us"))
            print(f"| {name} | {statistics.median(self.rates(name)):.0f} | {runs} | {p50:.0f} | {p99:.0f} |")
        print()
