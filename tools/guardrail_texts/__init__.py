"""Texts written for training the guardrail: attacks and look-alikes, as templates."""
