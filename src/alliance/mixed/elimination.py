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
"""

from __future__ import annotations

import numpy as np

from alliance.mixed.compiling import compiled


@compiled
def _matmul(a, b, out):
    """out = a b for small matrices; axpy order, so that the inner loop runs along memory."""
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            out[i, j] = 0.0
        for k in range(a.shape[1]):
            left = a[i, k]
            for j in range(b.shape[1]):
                out[i, j] += left * b[k, j]


@compiled
def _posterior(q, factor, s, g, work):
    """G = L M^-1 L' and log|M| with M = I + L' S L."""
    lower = work[0]
    half = work[1]
    # half = S L
    for i in range(q):
        for j in range(q):
            total = 0.0
            for k in range(j, q):
                total += s[i, k] * factor[k, j]
            half[i, j] = total
    log_det = 0.0
    for j in range(q):
        for i in range(j, q):
            total = 1.0 if i == j else 0.0
            for k in range(i, q):
                total += factor[k, i] * half[k, j]
            for k in range(j):
                total -= lower[i, k] * lower[j, k]
            if i == j:
                lower[j, j] = np.sqrt(total)
                log_det += np.log(total)
            else:
                lower[i, j] = total / lower[j, j]
    # half = lower^-1 L', then G = half' half
    for j in range(q):
        for i in range(q):
            total = factor[j, i]
            for k in range(i):
                total -= lower[i, k] * half[k, j]
            half[i, j] = total / lower[i, i]
    for i in range(q):
        for j in range(q):
            total = 0.0
            for k in range(q):
                total += half[k, i] * half[k, j]
            g[i, j] = total
    return log_det


@compiled
def _outer_full(left, right, total):
    """total += left' right, all columns."""
    for a in range(left.shape[0]):
        for k in range(left.shape[1]):
            value = left[a, k]
            if value != 0.0:
                for m in range(right.shape[1]):
                    total[k, m] += value * right[a, m]


@compiled
def _outer_rows(left, right, r, message):
    """message -= (left' right), first r rows."""
    for a in range(left.shape[0]):
        for k in range(r):
            value = left[a, k]
            for m in range(right.shape[1]):
                message[k, m] -= value * right[a, m]


@compiled
def _dot(a, b):
    total = 0.0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            total += a[i, j] * b[i, j]
    return total


@compiled
def eliminate(
    order, full, z, r, n_below, own_rows, own_cols, factor,
    s0, s1, s2, has_parent, up0, up1, up2,
    t0, t1, t2, contraction, omega, ld0, ld1, ld2,
    q_work, f_work,
):  # fmt: skip
    """Eliminate one group, with derivatives.

    Parameters
    ----------
    order : {0, 2}
        Order of the derivatives.
    full : bool
        Whether second derivatives of T are wanted in full (``t2``) or as the inner product with
        `omega` (``contraction``).
    z : array (q,)
        Columns of this level's random effects.
    r : int
        Number of columns that any level uses.
    n_below : int
        Number of parameters of the levels below and the residual.
    own_rows, own_cols : array (q(q+1)/2,)
        Row and column of each own parameter in Sigma.
    factor : array (q, q)
        L.
    s0, s1, s2 : arrays (r, K), (m, r, K), (pairs, r, K)
        S and derivatives.
    up0, up1, up2 : arrays
        The same of the group above, added to if `has_parent`.
    t0 : array (K, K)
        Receives the sum of S_Z' G S_Z.
    t1 : array (m, K, K)
        Receives half of each first derivative of that sum (the other half is its transpose).
    ld0, ld1, ld2 : arrays (1,), (m,), (pairs,)
        Receive log|M| and its derivatives.
    q_work, f_work : arrays
        Scratch, see `scratch`.
    """
    q = len(z)
    n_columns = s0.shape[1]
    n_own = len(own_rows)
    n_all = n_below + n_own
    s = q_work[0, :q, :q]
    g = q_work[1, :q, :q]
    n = q_work[2, :q, :q]
    tmp = q_work[3, :q, :q]
    tmp2 = q_work[4, :q, :q]
    g_pair = q_work[5, :q, :q]
    shrunk = q_work[6, :q, :q]
    f = f_work[0, :q]
    a = f_work[1, :q]
    a_pair = f_work[2, :q]
    a_omega = f_work[3, :q]
    f_omega = f_work[4, :q]
    f_pair = f_work[5, :q]
    half = f_work[6, :q]
    for i in range(q):
        for k in range(n_columns):
            f[i, k] = s0[z[i], k]
        for j in range(q):
            s[i, j] = s0[z[i], z[j]]
    ld0[0] += _posterior(q, factor, s, g, q_work[7:9, :q, :q])
    _matmul(g, f, a)
    _outer_full(f, a, t0)
    if has_parent:
        for k in range(r):
            for m in range(n_columns):
                up0[k, m] += s0[k, m]
        _outer_rows(f, a, r, up0)
    if order == 0:
        return
    # n = I - G S; shrunk = S - S G S = S n
    _matmul(g, s, n)
    for i in range(q):
        for j in range(q):
            n[i, j] = (1.0 if i == j else 0.0) - n[i, j]
    _matmul(s, n, shrunk)
    if not full:
        _matmul(f, omega, f_omega)
        _matmul(a, omega, a_omega)
    base = 9
    g_first = q_work[base : base + n_all]
    s_first = q_work[base + n_all : base + n_all + n_below]
    e_n = q_work[base + n_all + n_below : base + 2 * n_all + n_below]
    fbase = 7
    f_first = f_work[fbase : fbase + n_below]
    a_first = f_work[fbase + n_below : fbase + n_below + n_all]
    a_first_omega = f_work[fbase + n_below + n_all : fbase + n_below + 2 * n_all]
    # ------------------------------------------------------------------ first derivatives
    for p in range(n_all):
        gp = g_first[p, :q, :q]
        ap = a_first[p, :q]
        if p < n_below:
            fp = f_first[p, :q]
            sp = s_first[p, :q, :q]
            for i in range(q):
                for k in range(n_columns):
                    fp[i, k] = s1[p, z[i], k]
                for j in range(q):
                    sp[i, j] = s1[p, z[i], z[j]]
            _matmul(g, sp, tmp)
            _matmul(tmp, g, gp)
            for i in range(q):
                ld1[p] += tmp[i, i]
                for j in range(q):
                    gp[i, j] = -gp[i, j]
            # A_p = G_p F + G F_p; half the derivative of F'GF is F'(G F_p + G_p F / 2)
            _matmul(gp, f, ap)
            _matmul(g, fp, half)
            for i in range(q):
                for k in range(n_columns):
                    both = ap[i, k]
                    ap[i, k] += half[i, k]
                    half[i, k] += 0.5 * both
            if has_parent:
                for k in range(r):
                    for m in range(n_columns):
                        up1[p, k, m] += s1[p, k, m]
                _outer_rows(fp, a, r, up1[p])
        else:
            o = p - n_below
            row = own_rows[o]
            col = own_cols[o]
            en = e_n[p, :q, :q]
            # E N', then N E N'
            for i in range(q):
                for j in range(q):
                    en[i, j] = 0.0
            for j in range(q):
                en[row, j] += n[j, col]
                if row != col:
                    en[col, j] += n[j, row]
            _matmul(n, en, gp)
            ld1[p] += shrunk[row, col] * (1.0 if row == col else 2.0)
            _matmul(gp, f, ap)
            for i in range(q):
                for k in range(n_columns):
                    half[i, k] = 0.5 * ap[i, k]
        _outer_full(f, half, t1[p])
        if has_parent:
            _outer_rows(f, ap, r, up1[p])
        if not full:
            _matmul(ap, omega, a_first_omega[p, :q])
    # ------------------------------------------------------------------ second derivatives
    for p in range(n_all):
        gp = g_first[p, :q, :q]
        ap = a_first[p, :q]
        for c in range(p + 1):
            pair = p * (p + 1) // 2 + c
            gc = g_first[c, :q, :q]
            ac = a_first[c, :q]
            if p < n_below:
                sp = s_first[p, :q, :q]
                for i in range(q):
                    for j in range(q):
                        tmp2[i, j] = s2[pair, z[i], z[j]]
                    for k in range(n_columns):
                        f_pair[i, k] = s2[pair, z[i], k]
                # G_pc = -(G_c S_p G + G S_p G_c + G S_pc G)
                _matmul(gc, sp, tmp)
                for i in range(q):
                    ld2[pair] += tmp[i, i]
                _matmul(tmp, g, g_pair)
                for i in range(q):
                    for j in range(i + 1):
                        both = g_pair[i, j] + g_pair[j, i]
                        g_pair[i, j] = both
                        g_pair[j, i] = both
                _matmul(g, tmp2, tmp)
                for i in range(q):
                    ld2[pair] += tmp[i, i]
                for i in range(q):
                    for j in range(q):
                        total = 0.0
                        for k in range(q):
                            total += tmp[i, k] * g[k, j]
                        g_pair[i, j] = -g_pair[i, j] - total
                _matmul(gp, f_first[c, :q], a_pair)
                _add_matmul(gc, f_first[p, :q], a_pair)
                _add_matmul(g, f_pair, a_pair)
            elif c < n_below:
                sc = s_first[c, :q, :q]
                # G_oc = -(G_o S_c G + transpose)
                _matmul(gp, sc, tmp)
                for i in range(q):
                    ld2[pair] += tmp[i, i]
                _matmul(tmp, g, tmp2)
                for i in range(q):
                    for j in range(q):
                        g_pair[i, j] = -tmp2[i, j] - tmp2[j, i]
                _matmul(gp, f_first[c, :q], a_pair)
            else:
                # G_oo' = -(G_o' S E_o N' + transpose); d log|M| = -tr(E_o S G_o' S)
                row = own_rows[p - n_below]
                col = own_cols[p - n_below]
                _matmul(gc, s, tmp)
                _matmul(tmp, e_n[p, :q, :q], tmp2)
                for i in range(q):
                    for j in range(q):
                        g_pair[i, j] = -tmp2[i, j] - tmp2[j, i]
                _matmul(s, tmp, tmp2)
                ld2[pair] -= tmp2[row, col] * (1.0 if row == col else 2.0)
                for i in range(q):
                    for k in range(n_columns):
                        a_pair[i, k] = 0.0
            _add_matmul(g_pair, f, a_pair)
            # d2(F'GF) = F_pc'A + F_p'A_c + F_c'A_p + F'A_pc
            if full:
                _outer_full(f, a_pair, t2[pair])
            else:
                contraction[pair] += _dot(a_pair, f_omega)
            if has_parent:
                _outer_rows(f, a_pair, r, up2[pair])
            if c < n_below:
                if full:
                    _outer_full(f_first[c, :q], ap, t2[pair])
                else:
                    contraction[pair] += _dot(f_first[c, :q], a_first_omega[p, :q])
                if has_parent:
                    _outer_rows(f_first[c, :q], ap, r, up2[pair])
            if p < n_below:
                if full:
                    _outer_full(f_first[p, :q], ac, t2[pair])
                    _outer_full(f_pair, a, t2[pair])
                else:
                    contraction[pair] += _dot(f_first[p, :q], a_first_omega[c, :q])
                    contraction[pair] += _dot(f_pair, a_omega)
                if has_parent:
                    for k in range(r):
                        for m in range(n_columns):
                            up2[pair, k, m] += s2[pair, k, m]
                    _outer_rows(f_first[p, :q], ac, r, up2[pair])
                    _outer_rows(f_pair, a, r, up2[pair])


@compiled
def _add_matmul(a, b, out):
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            left = a[i, k]
            for j in range(b.shape[1]):
                out[i, j] += left * b[k, j]


@compiled
def traverse(
    order, full, r, n_columns, n_residual, z_all, sizes, own_rows, own_cols, factors,
    w0, w1, w2, entry_pointer, entry_class, cross, closing,
    t0, t1, t2, contraction, omega, ld0, ld1, ld2,
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
    w0, w1, w2 : arrays (H,), (n_residual, H), (pairs, H)
        Class weights and their derivatives in the residual parameters.
    entry_pointer, entry_class, cross : arrays
        Cross-products per client and class, see `alliance.mixed.crossproducts`.
    closing : array (clients,)
        How many levels above the client end with this client.
    """
    n_levels = len(sizes)
    q_max = z_all.shape[1]
    m = n_residual
    for level in range(n_levels):
        m += sizes[level] * (sizes[level] + 1) // 2
    n_pairs = m * (m + 1) // 2
    depth1 = m if order == 2 else 0
    depth2 = n_pairs if order == 2 else 0
    s0 = np.zeros((n_levels, r, n_columns))
    s1 = np.zeros((n_levels, depth1, r, n_columns))
    s2 = np.zeros((n_levels, depth2, r, n_columns))
    q_work = np.zeros((9 + 3 * m, q_max, q_max))
    f_work = np.zeros((7 + 3 * m, q_max, n_columns))
    residual_pairs = n_residual * (n_residual + 1) // 2
    leaf = n_levels - 1
    for client in range(len(closing)):
        s0[leaf, :, :] = 0.0
        if order == 2:
            s1[leaf, :n_residual] = 0.0
            s2[leaf, :residual_pairs] = 0.0
        for entry in range(entry_pointer[client], entry_pointer[client + 1]):
            which = entry_class[entry]
            for a in range(r):
                for b in range(n_columns):
                    s0[leaf, a, b] += w0[which] * cross[entry, a, b]
            if order == 2:
                for p in range(n_residual):
                    for a in range(r):
                        for b in range(n_columns):
                            s1[leaf, p, a, b] += w1[p, which] * cross[entry, a, b]
                for p in range(residual_pairs):
                    for a in range(r):
                        for b in range(n_columns):
                            s2[leaf, p, a, b] += w2[p, which] * cross[entry, a, b]
        n_below = n_residual
        for step in range(closing[client] + 1):
            level = leaf - step
            parent = max(level - 1, 0)
            q = sizes[level]
            n_own = q * (q + 1) // 2
            eliminate(
                order, full, z_all[level, :q], r, n_below,
                own_rows[level, :n_own], own_cols[level, :n_own], factors[level, :q, :q],
                s0[level], s1[level], s2[level], level > 0,
                s0[parent], s1[parent], s2[parent],
                t0, t1, t2, contraction, omega, ld0, ld1, ld2, q_work, f_work,
            )  # fmt: skip
            if step > 0:
                s0[level, :, :] = 0.0
                if order == 2:
                    s1[level, :n_below] = 0.0
                    s2[level, : n_below * (n_below + 1) // 2] = 0.0
            n_below += n_own
