"""What the test plugins kit-probe and kit-probe-held tell: see tests/plugins/probe.hpp."""


def steps(*lines, phase="access"):
    """A configuration: each line is "function|argument|..." of `phase`, or begins with a phase of its own and '!'."""
    return {"steps": ["|".join(line.split("!", 1)) if "!" in line else f"{phase}|{line}" for line in lines]}


def told(answer, phase="access"):
    """[(step without its phase, what it gave)]; a refused call gives "!> why" or "?> why"."""
    found = []
    for line in answer.all("X-Probe"):
        for mark in (" -> ", " !> ", " ?> "):
            if mark in line:
                step, _, result = line.partition(mark)
                break
        else:
            step, mark, result = line.removesuffix(" ->"), " -> ", ""
        if step.startswith(phase + "|"):
            found.append((step.split("|", 1)[1], result if mark == " -> " else mark.strip() + " " + result))
    return found


def values(answer, phase="access"):
    return [value for _, value in told(answer, phase)]
