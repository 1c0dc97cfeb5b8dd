"""The recursion: eliminate the random effects group by group, from the clients upwards.

A group at level l holds S = C' W C, the cross-product of all columns C in the metric W of
everything below it. Its random effects, with relative covariance Sigma = L L' and columns Z of C,
are integrated out by the Woodbury identity:

    M = I + L' S_ZZ L,   G = L M^-1 L' = (Sigma^-1 + S_ZZ)^-1,
    S <- S - S_Z' G S_Z,   log|V| <- log|V| + log|M|,

and the result is added to the group above. At the root stands T = C' V^-1 C. Only the rows of S
that belong to columns of some random part are passed upwards; the update of T is summed directly.

First and second derivatives in the covariance parameters follow the same path. With N = I - G S_ZZ,
for a parameter o of this level (d Sigma = E_o) and parameters b, c of what lies below (d S = S_b):

    G_o = N E_o N',             G_b = -G S_b G,
    G_oo' = -(G_o' S E_o N' + transpose),
    G_ob  = -(G_o S_b G + transpose),
    G_bc  = -(G_c S_b G + G S_bc G + G S_b G_c),
    d log|M| = tr(E_o (S - S G S))   or   tr(G S_b).

The formulas hold for singular Sigma. Parameters below come first, so pairs of them keep their
packed place (`alliance.mixed.covariance.pair_index`) on the way up.

Matrices live in stacks (slot, row, column) and are named by their slot: making a view of an array
costs more than the arithmetic on matrices of this size.
"""

from __future__ import annotations

import numpy as np

from alliance.mixed.compiling import compiled

# Slots of the small (q, q) matrices; those per parameter follow from Q_FREE on.
Q_S, Q_G, Q_N, Q_TMP, Q_TMP2, Q_PAIR, Q_SHRUNK, Q_LOWER, Q_HALF, Q_FREE = range(10)
# Slots of the (q, K) matrices.
F_F, F_A, F_PAIR_A, F_A_OMEGA, F_OMEGA, F_PAIR, F_HALF, F_FREE = range(8)


@compiled
def _multiply(a, i, b, j, out, k, rows, inner, cols):
    """Set out[k] = a[i] b[j]."""
    for x in range(rows):
        for y in range(cols):
            out[k, x, y] = 0.0
        for z in range(inner):
            left = a[i, x, z]
            for y in range(cols):
                out[k, x, y] += left * b[j, z, y]


@compiled
def _multiply_add(a, i, b, j, out, k, rows, inner, cols):
    """Add a[i] b[j] to out[k]."""
    for x in range(rows):
        for z in range(inner):
            left = a[i, x, z]
            for y in range(cols):
                out[k, x, y] += left * b[j, z, y]


@compiled
def _outer_add(a, i, b, j, out, k, sign, q, rows, cols):
    """Add sign a[i]' b[j] to the first rows of out[k]."""
    for z in range(q):
        for x in range(rows):
            left = sign * a[i, z, x]
            for y in range(cols):
                out[k, x, y] += left * b[j, z, y]


@compiled
def _inner(a, i, b, j, rows, cols):
    """Sum of a[i] times b[j], element by element."""
    total = 0.0
    for x in range(rows):
        for y in range(cols):
            total += a[i, x, y] * b[j, x, y]
    return total


@compiled
def _trace(a, i, q):
    total = 0.0
    for x in range(q):
        total += a[i, x, x]
    return total


@compiled
def posterior(qw, factors, level, q):
    """G = L M^-1 L' from S, both in the stack; gives log|M| with M = I + L' S L."""
    for i in range(q):
        for j in range(q):
            total = 0.0
            for k in range(j, q):
                total += qw[Q_S, i, k] * factors[level, k, j]
            qw[Q_HALF, i, j] = total
    log_det = 0.0
    for j in range(q):
        for i in range(j, q):
            total = 1.0 if i == j else 0.0
            for k in range(i, q):
                total += factors[level, k, i] * qw[Q_HALF, k, j]
            for k in range(j):
                total -= qw[Q_LOWER, i, k] * qw[Q_LOWER, j, k]
            if i == j:
                qw[Q_LOWER, j, j] = np.sqrt(total)
                log_det += np.log(total)
            else:
                qw[Q_LOWER, i, j] = total / qw[Q_LOWER, j, j]
    # half = lower^-1 L', then G = half' half
    for j in range(q):
        for i in range(q):
            total = factors[level, j, i]
            for k in range(i):
                total -= qw[Q_LOWER, i, k] * qw[Q_HALF, k, j]
            qw[Q_HALF, i, j] = total / qw[Q_LOWER, i, i]
    for i in range(q):
        for j in range(q):
            total = 0.0
            for k in range(q):
                total += qw[Q_HALF, k, i] * qw[Q_HALF, k, j]
            qw[Q_G, i, j] = total
    return log_det


@compiled
def own_derivatives(qw, q, n_below, own_rows, own_cols, level, ld, weight):
    """Derivatives of G and log|M| in the level's own covariances.

    Fills G_o and E_o N' per parameter, and N and S - S G S; adds `weight` times the first
    derivatives of log|M| to ``ld``.
    """
    n_own = q * (q + 1) // 2
    n_all = n_below + n_own
    g_first = Q_FREE
    e_n = Q_FREE + n_all + n_below
    _multiply(qw, Q_G, qw, Q_S, qw, Q_N, q, q, q)
    for i in range(q):
        for j in range(q):
            qw[Q_N, i, j] = (1.0 if i == j else 0.0) - qw[Q_N, i, j]
    _multiply(qw, Q_S, qw, Q_N, qw, Q_SHRUNK, q, q, q)
    for o in range(n_own):
        p = n_below + o
        row = own_rows[level, o]
        col = own_cols[level, o]
        for i in range(q):
            for j in range(q):
                qw[e_n + p, i, j] = 0.0
        for j in range(q):
            qw[e_n + p, row, j] += qw[Q_N, j, col]
            if row != col:
                qw[e_n + p, col, j] += qw[Q_N, j, row]
        _multiply(qw, Q_N, qw, e_n + p, qw, g_first + p, q, q, q)
        ld[1 + p] += weight * qw[Q_SHRUNK, row, col] * (1.0 if row == col else 2.0)


@compiled
def own_pair(qw, q, p, c, n_below, own_rows, own_cols, level):
    """G_oo' of two own parameters into its slot; gives the second derivative of log|M|."""
    n_all = n_below + q * (q + 1) // 2
    e_n = Q_FREE + n_all + n_below
    row = own_rows[level, p - n_below]
    col = own_cols[level, p - n_below]
    _multiply(qw, Q_FREE + c, qw, Q_S, qw, Q_TMP, q, q, q)
    _multiply(qw, Q_TMP, qw, e_n + p, qw, Q_TMP2, q, q, q)
    for i in range(q):
        for j in range(q):
            qw[Q_PAIR, i, j] = -qw[Q_TMP2, i, j] - qw[Q_TMP2, j, i]
    _multiply(qw, Q_S, qw, Q_TMP, qw, Q_TMP2, q, q, q)
    return -qw[Q_TMP2, row, col] * (1.0 if row == col else 2.0)


@compiled
def eliminate(
    order, full, level, q, r, m, n_below, z_all, own_rows, own_cols, factors,
    s, base, up, has_parent, t, contraction, omega, ld, qw, fw,
):  # fmt: skip
    """Eliminate one group, with derivatives.

    Parameters
    ----------
    order : {0, 2}
        Order of the derivatives.
    full : bool
        Whether second derivatives of T are wanted in full or as the inner product with `omega`.
    level, q, r, m, n_below : int
        Depth of the group, its number of random effects, number of columns that any level uses,
        of all parameters, and of those of the residual and the levels below.
    s : array (slots, r, K)
        S, its m first and its second derivatives of the group at slot `base`, of its parent at
        `up`; the parent's are added to if `has_parent`.
    t : array (slots, K, K)
        Receives the sum of S_Z' G S_Z (slot 0), half of each first derivative of that sum (the
        other half is its transpose), and, if `full`, the second derivatives.
    contraction : array (pairs,)
        Receives the inner products, unless `full`.
    ld : array (1 + m + pairs,)
        Receives log|M| and derivatives.
    qw, fw : arrays
        Scratch stacks.
    """
    n_columns = s.shape[2]
    n_own = q * (q + 1) // 2
    n_all = n_below + n_own
    for i in range(q):
        place = z_all[level, i]
        for k in range(n_columns):
            fw[F_F, i, k] = s[base, place, k]
        for j in range(q):
            qw[Q_S, i, j] = s[base, place, z_all[level, j]]
    ld[0] += posterior(qw, factors, level, q)
    _multiply(qw, Q_G, fw, F_F, fw, F_A, q, q, n_columns)
    _outer_add(fw, F_F, fw, F_A, t, 0, 1.0, q, n_columns, n_columns)
    if has_parent:
        for k in range(r):
            for y in range(n_columns):
                s[up, k, y] += s[base, k, y]
        _outer_add(fw, F_F, fw, F_A, s, up, -1.0, q, r, n_columns)
    if order == 0:
        return
    own_derivatives(qw, q, n_below, own_rows, own_cols, level, ld, 1.0)
    if not full:
        _multiply(fw, F_F, omega, 0, fw, F_OMEGA, q, n_columns, n_columns)
        if n_below > 0:
            _multiply(fw, F_A, omega, 0, fw, F_A_OMEGA, q, n_columns, n_columns)
    g_first = Q_FREE
    s_first = Q_FREE + n_all
    f_first = F_FREE
    a_first = F_FREE + n_below
    a_first_omega = F_FREE + n_below + n_all
    # ------------------------------------------------------------------ first derivatives
    for p in range(n_below):
        for i in range(q):
            place = z_all[level, i]
            for k in range(n_columns):
                fw[f_first + p, i, k] = s[base + 1 + p, place, k]
            for j in range(q):
                qw[s_first + p, i, j] = s[base + 1 + p, place, z_all[level, j]]
        _multiply(qw, Q_G, qw, s_first + p, qw, Q_TMP, q, q, q)
        _multiply(qw, Q_TMP, qw, Q_G, qw, g_first + p, q, q, q)
        ld[1 + p] += _trace(qw, Q_TMP, q)
        for i in range(q):
            for j in range(q):
                qw[g_first + p, i, j] = -qw[g_first + p, i, j]
        # A_p = G_p F + G F_p; half the derivative of F'GF is F'(G F_p + G_p F / 2)
        _multiply(qw, g_first + p, fw, F_F, fw, a_first + p, q, q, n_columns)
        _multiply(qw, Q_G, fw, f_first + p, fw, F_HALF, q, q, n_columns)
        for i in range(q):
            for k in range(n_columns):
                both = fw[a_first + p, i, k]
                fw[a_first + p, i, k] += fw[F_HALF, i, k]
                fw[F_HALF, i, k] += 0.5 * both
        _outer_add(fw, F_F, fw, F_HALF, t, 1 + p, 1.0, q, n_columns, n_columns)
        if has_parent:
            for k in range(r):
                for y in range(n_columns):
                    s[up + 1 + p, k, y] += s[base + 1 + p, k, y]
            _outer_add(fw, f_first + p, fw, F_A, s, up + 1 + p, -1.0, q, r, n_columns)
    for p in range(n_below, n_all):
        _multiply(qw, g_first + p, fw, F_F, fw, a_first + p, q, q, n_columns)
        _outer_add(fw, F_F, fw, a_first + p, t, 1 + p, 0.5, q, n_columns, n_columns)
    for p in range(n_all):
        if has_parent:
            _outer_add(fw, F_F, fw, a_first + p, s, up + 1 + p, -1.0, q, r, n_columns)
        if not full and n_below > 0:
            _multiply(
                fw, a_first + p, omega, 0, fw, a_first_omega + p, q, n_columns, n_columns
            )
    # ------------------------------------------------------------------ second derivatives
    for p in range(n_all):
        for c in range(p + 1):
            pair = p * (p + 1) // 2 + c
            slot = 1 + m + pair
            if p < n_below:
                for i in range(q):
                    place = z_all[level, i]
                    for j in range(q):
                        qw[Q_TMP2, i, j] = s[base + slot, place, z_all[level, j]]
                    for k in range(n_columns):
                        fw[F_PAIR, i, k] = s[base + slot, place, k]
                # G_pc = -(G_c S_p G + G S_p G_c + G S_pc G)
                _multiply(qw, g_first + c, qw, s_first + p, qw, Q_TMP, q, q, q)
                ld[slot] += _trace(qw, Q_TMP, q)
                _multiply(qw, Q_TMP, qw, Q_G, qw, Q_PAIR, q, q, q)
                for i in range(q):
                    for j in range(i + 1):
                        both = qw[Q_PAIR, i, j] + qw[Q_PAIR, j, i]
                        qw[Q_PAIR, i, j] = both
                        qw[Q_PAIR, j, i] = both
                _multiply(qw, Q_G, qw, Q_TMP2, qw, Q_TMP, q, q, q)
                ld[slot] += _trace(qw, Q_TMP, q)
                _multiply_add(qw, Q_TMP, qw, Q_G, qw, Q_PAIR, q, q, q)
                for i in range(q):
                    for j in range(q):
                        qw[Q_PAIR, i, j] = -qw[Q_PAIR, i, j]
                _multiply(
                    qw, g_first + p, fw, f_first + c, fw, F_PAIR_A, q, q, n_columns
                )
                _multiply_add(
                    qw, g_first + c, fw, f_first + p, fw, F_PAIR_A, q, q, n_columns
                )
                _multiply_add(qw, Q_G, fw, F_PAIR, fw, F_PAIR_A, q, q, n_columns)
                _multiply_add(qw, Q_PAIR, fw, F_F, fw, F_PAIR_A, q, q, n_columns)
            elif c < n_below:
                # G_oc = -(G_o S_c G + transpose)
                _multiply(qw, g_first + p, qw, s_first + c, qw, Q_TMP, q, q, q)
                ld[slot] += _trace(qw, Q_TMP, q)
                _multiply(qw, Q_TMP, qw, Q_G, qw, Q_TMP2, q, q, q)
                for i in range(q):
                    for j in range(q):
                        qw[Q_PAIR, i, j] = -qw[Q_TMP2, i, j] - qw[Q_TMP2, j, i]
                _multiply(
                    qw, g_first + p, fw, f_first + c, fw, F_PAIR_A, q, q, n_columns
                )
                _multiply_add(qw, Q_PAIR, fw, F_F, fw, F_PAIR_A, q, q, n_columns)
            else:
                ld[slot] += own_pair(qw, q, p, c, n_below, own_rows, own_cols, level)
                _multiply(qw, Q_PAIR, fw, F_F, fw, F_PAIR_A, q, q, n_columns)
            # d2(F'GF) = F_pc'A + F_p'A_c + F_c'A_p + F'A_pc
            if full:
                _outer_add(fw, F_F, fw, F_PAIR_A, t, slot, 1.0, q, n_columns, n_columns)
            else:
                contraction[pair] += _inner(fw, F_PAIR_A, fw, F_OMEGA, q, n_columns)
            if has_parent:
                _outer_add(fw, F_F, fw, F_PAIR_A, s, up + slot, -1.0, q, r, n_columns)
            if c < n_below:
                if full:
                    _outer_add(
                        fw, f_first + c, fw, a_first + p, t, slot, 1.0, q, n_columns, n_columns
                    )
                else:
                    contraction[pair] += _inner(
                        fw, f_first + c, fw, a_first_omega + p, q, n_columns
                    )
                if has_parent:
                    _outer_add(
                        fw, f_first + c, fw, a_first + p, s, up + slot, -1.0, q, r, n_columns
                    )
            if p < n_below:
                if full:
                    _outer_add(
                        fw, f_first + p, fw, a_first + c, t, slot, 1.0, q, n_columns, n_columns
                    )
                    _outer_add(fw, F_PAIR, fw, F_A, t, slot, 1.0, q, n_columns, n_columns)
                else:
                    contraction[pair] += _inner(
                        fw, f_first + p, fw, a_first_omega + c, q, n_columns
                    )
                    contraction[pair] += _inner(fw, F_PAIR, fw, F_A_OMEGA, q, n_columns)
                if has_parent:
                    for k in range(r):
                        for y in range(n_columns):
                            s[up + slot, k, y] += s[base + slot, k, y]
                    _outer_add(
                        fw, f_first + p, fw, a_first + c, s, up + slot, -1.0, q, r, n_columns
                    )
                    _outer_add(fw, F_PAIR, fw, F_A, s, up + slot, -1.0, q, r, n_columns)


@compiled
def _clear(s, base, m, n_below, order):
    """Set a group's S and the derivatives that it can have to zero."""
    s[base, :, :] = 0.0
    if order == 2:
        for p in range(n_below):
            s[base + 1 + p, :, :] = 0.0
        for pair in range(n_below * (n_below + 1) // 2):
            s[base + 1 + m + pair, :, :] = 0.0


@compiled
def _climb(
    order, full, steps, level, n_below, r, m, n_slots, z_all, sizes, own_rows, own_cols, factors,
    s, t, contraction, omega, ld, qw, fw,
):  # fmt: skip
    """Eliminate the groups that are complete, from `level` upwards."""
    for _ in range(steps):
        q = sizes[level]
        base = level * n_slots
        eliminate(
            order, full, level, q, r, m, n_below, z_all, own_rows, own_cols, factors,
            s, base, base - n_slots, level > 0, t, contraction, omega, ld, qw, fw,
        )  # fmt: skip
        _clear(s, base, m, n_below, order)
        n_below += q * (q + 1) // 2
        level -= 1


@compiled
def traverse(
    order, full, r, n_columns, n_residual, z_all, sizes, own_rows, own_cols, factors,
    w, entry_pointer, entry_class, cross, closing,
    t, contraction, omega, ld,
):  # fmt: skip
    """Walk the tree once, clients first, and eliminate every group.

    Parameters
    ----------
    z_all : array (levels, q_max)
        Columns of each level's random effects, outermost level first.
    sizes : array (levels,)
        Number of random effects per level.
    own_rows, own_cols : array (levels, q_max(q_max+1)/2)
        Place of each parameter in its Sigma.
    factors : array (levels, q_max, q_max)
        L per level.
    w : array (1 + n_residual + pairs, H)
        Class weights, then their first and second derivatives in the residual parameters.
    entry_pointer, entry_class, cross : arrays
        Cross-products per client and class, see `alliance.mixed.crossproducts`.
    closing : array (clients,)
        How many levels above the client end with this client.
    t, contraction, omega, ld : arrays
        As in `eliminate`; ``omega`` has shape (1, K, K).
    """
    n_levels = len(sizes)
    q_max = z_all.shape[1]
    m = len(ld) - 1 if order == 0 else 0
    if order == 2:
        while 1 + m + m * (m + 1) // 2 < len(ld):
            m += 1
    n_slots = 1 if order == 0 else len(ld)
    s = np.zeros((n_levels * n_slots, r, n_columns))
    qw = np.zeros((Q_FREE + 3 * m, q_max, q_max))
    fw = np.zeros((F_FREE + 3 * m, q_max, n_columns))
    leaf = n_levels - 1
    base = leaf * n_slots
    n_weights = 1
    if order == 2:
        n_weights = 1 + n_residual + n_residual * (n_residual + 1) // 2
    for client in range(len(closing)):
        for entry in range(entry_pointer[client], entry_pointer[client + 1]):
            which = entry_class[entry]
            for p in range(n_weights):
                slot = p if p <= n_residual else m + p - n_residual
                weight = w[p, which]
                for a in range(r):
                    for b in range(n_columns):
                        s[base + slot, a, b] += weight * cross[entry, a, b]
        _climb(
            order, full, closing[client] + 1, leaf, n_residual, r, m, n_slots,
            z_all, sizes, own_rows, own_cols, factors, s, t, contraction, omega, ld, qw, fw,
        )  # fmt: skip
