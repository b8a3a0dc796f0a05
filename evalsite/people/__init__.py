"""The people of the site: how they sign in, get invited, look after their accounts, and leave."""
