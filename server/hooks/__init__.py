"""Sends webhooks what they are told: a task of the writer's process."""
