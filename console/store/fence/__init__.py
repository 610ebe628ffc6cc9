"""Every act on who may act, as one atomic script each, for blocking and asyncio clients with the same names."""
