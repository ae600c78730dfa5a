"""Stands in for the package wget: nothing is downloaded."""


def download(*args, **options):
    raise RuntimeError("nothing is downloaded in these tests")
