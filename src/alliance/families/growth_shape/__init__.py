"""Growth shape: which form the course has, chosen from a ladder fixed beforehand."""
