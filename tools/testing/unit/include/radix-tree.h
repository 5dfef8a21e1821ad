/* SPDX-License-Identifier: GPL-2.0 */
/* Where the XArray gets its nodes */
struct rcu_head;
extern struct kmem_cache *radix_tree_node_cachep;
void radix_tree_node_rcu_free(struct rcu_head *head);
