"""Policies: documents that people write, compiled once per version into an index that decides.

document   text -> PolicyDocument, every problem with its line      compile   documents -> PolicySnapshot
engine     snapshot + action + facts -> Decision                    lint      documents -> findings
schema     the published JSON Schema                                short     REST block / allow / warn form
"""
