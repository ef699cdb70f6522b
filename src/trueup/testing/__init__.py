"""A Kalshi of your own for your bot's tests: see `docs/guides/testing-your-bot.md`.

`trueup.testing.plugin` is the pytest plugin, `trueup.testing.sandbox` the sandbox
that its fixture hands out.  Nothing is imported here: every run of pytest loads
the plugin, and only tests that ask for a sandbox should pay for one.
"""
