"""The dashboard: see the account, trust the numbers, stop the bot.

Pages are thin and view values are pure functions (`trueup.web.values`).  Books are read
through connections of the page's own that cannot write; commands to the bot go through its
control channel.
"""
