"""Fenced actions: what is the same for blocking and asyncio agents."""
