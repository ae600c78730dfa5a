"""Writes tiny-r1's held-out questions, 40 of each kind, as JSON lines: python3 examples/eval/questions.py WORDS > examples/eval/questions.jsonl

The same words give the same lines. The committed file was made with Debian's wamerican 2020.12.07-2. Needs the package `regex`, as the training code does.
"""
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "models" / "tiny-r1"))
from data import load_words  # noqa: E402
from evaluate import samples  # noqa: E402

COUNT = 40
# Words drawn by chance that nobody wants to meet in an example.
UNWANTED = {"molesters", "racism", "slaver"}


def is_wanted(sample):
    return not UNWANTED.intersection(re.findall("[a-z]+", sample.question.lower()))


for task, row in samples(load_words(sys.argv[1]), COUNT + 5).items():
    for sample in [sample for sample in row if is_wanted(sample)][:COUNT]:
        messages = [{"role": "system", "content": sample.system}] if sample.system else []
        for question, answer in sample.history:
            messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        messages.append({"role": "user", "content": sample.question})
        print(json.dumps({"task": task, "messages": messages, "answer": sample.answer}, ensure_ascii=False))
