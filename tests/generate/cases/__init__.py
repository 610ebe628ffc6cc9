"""The cases of `docs/vectors.json`, as they are declared: what is given, what is called, what is looked at afterwards.

What the store answers is not declared, it is played; but a case's name begins with the code that must be the answer.
"""
